"""What a person reads when a page does not open: texts in six languages, and the pages made of them. Pure rendering."""
