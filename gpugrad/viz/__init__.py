"""Pictures of tensors and of what was recorded; nothing here changes what it shows."""
