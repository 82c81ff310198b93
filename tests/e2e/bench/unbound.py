"""unbound as a program of a test: what any of its configurations begins with."""


def beginning(directory):
    """The section `server`, for more of it to follow: in the foreground, in that folder, with the rights it is started with."""
    return f"""server:
    directory: "{directory}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    do-daemonize: no
    module-config: "iterator\""""
