"""Work that takes long: the same whether a command does it or a worker, as a job of the queue."""
