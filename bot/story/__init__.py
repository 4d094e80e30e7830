"""Story: registering images as IP assets, from metadata to a final receipt."""
