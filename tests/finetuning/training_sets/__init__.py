"""The pictures that a finetune is trained on."""
