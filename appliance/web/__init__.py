"""The small web of the box: the children's pages and the status page. It shows what it is given."""
