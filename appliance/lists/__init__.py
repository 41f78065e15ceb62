"""Lists from files, folders, archives and the web, and the compiled rule sets made of them."""
