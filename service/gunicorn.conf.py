"""gunicorn's settings. The address is given on the command line."""

# Threads, not processes, carry the slow senders; more processes carry the work.
worker_class = "gthread"
workers = 2
threads = 64
# A worker's heartbeat comes from its main thread, so long uploads do not count against this.
timeout = 60
graceful_timeout = 30
keepalive = 5
# Each worker builds its own connections, and nothing listens but the web port.
preload_app = False
control_socket_disable = True
accesslog = None
errorlog = "-"
