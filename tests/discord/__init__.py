"""Commands, presses, forms and messages, as Discord sends and takes them."""
