"""A small real GPT-2 trained with the same objectives as the toy policy. Importing it loads nothing."""
