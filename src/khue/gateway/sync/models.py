"""Tables of the synchronisation; see the next commit of this module for channels and the queue."""
