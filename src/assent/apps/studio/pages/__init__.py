"""The pages, one module a part of the work; each has a table `PAGES`."""
