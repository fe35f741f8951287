#pragma once
#include "block.h"

namespace hostcuda {

// Run all threads of all blocks; `arguments` points to one pointer a parameter.
void run_grid(const Kernel &kernel, Index grid, Index block, void **arguments);

}  // namespace hostcuda
