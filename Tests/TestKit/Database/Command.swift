import Foundation
import Glibc

/// Runs the programs of a PostgreSQL installation.
enum Command {
    struct Failure: Error, CustomStringConvertible {
        let program: String
        let status: Int32
        let output: String

        var description: String { "\(program) ended with \(status): \(output)" }
    }

    struct Missing: Error, CustomStringConvertible {
        let program: String

        var description: String { "\(program) was found neither in PATH nor in /usr/lib/postgresql" }
    }

    /// Finds a program of PostgreSQL: in the newest version installed, or in PATH.
    static func postgres(_ program: String) throws -> String {
        let installations = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: installations)) ?? []
        for version in versions.sorted(by: { (Int($0) ?? 0) > (Int($1) ?? 0) }) {
            let path = "\(installations)/\(version)/bin/\(program)"
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        guard let path = find(program) else { throw Missing(program: program) }
        return path
    }

    static func find(_ program: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// PostgreSQL refuses to run as root: if we are root, its programs run as this user.
    static var unprivilegedUser: String? {
        guard getuid() == 0 else { return nil }
        return getpwnam("postgres") != nil ? "postgres" : "nobody"
    }

    /// Runs a program, as an ordinary user if we are root, and returns its output.
    @discardableResult static func run(_ program: String, _ arguments: [String]) throws -> String {
        var command = [program] + arguments
        if let user = unprivilegedUser {
            if let setpriv = find("setpriv") {
                command = [setpriv, "--reuid=\(user)", "--regid=\(user)", "--clear-groups"] + command
            } else if let runuser = find("runuser") {
                command = [runuser, "-u", user, "--"] + command
            } else {
                throw Missing(program: "setpriv or runuser")
            }
        }
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("command-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        // A file rather than a pipe: the server that `pg_ctl` leaves behind keeps its output open.
        let descriptor = open(output.path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        let child = try spawn(command, input: nil, output: descriptor)
        let status = wait(for: child)
        let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
        guard status == 0 else {
            throw Failure(program: program, status: status, output: String(text.suffix(2_000)))
        }
        return text
    }

    /// `POSIX_SPAWN_SETSID` of glibc, which Swift does not import.
    private static let newSession: Int16 = 0x80

    /// Starts a program in a session of its own.
    ///
    /// Not with Foundation's `Process`: it waits on a socket that every descendant inherits, and so for the server
    /// itself.
    static func spawn(_ command: [String], input: Int32?, output: Int32?) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        for descriptor: Int32 in [1, 2] {
            if let output {
                posix_spawn_file_actions_adddup2(&actions, output, descriptor)
            } else {
                posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
            }
        }
        keepDescriptors()
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, newSession)
        // The user that the program runs as may have no access to our folder.
        let started = ["/bin/sh", "-c", "cd / && exec \"$@\"", "sh"] + command
        var arguments = started.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        let error = posix_spawn(&child, started[0], &actions, &attributes, &arguments, environ)
        guard error == 0 else {
            throw Failure(program: command[0], status: error, output: String(cString: strerror(error)))
        }
        return child
    }

    /// Keeps our files and sockets from programs that we start. SwiftNIO does not: a database server would inherit the
    /// sockets of the servers in this process, and keep their ports and connections open.
    private static func keepDescriptors() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in names.compactMap({ Int32($0) }) where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// Waits for a program to end, and returns its exit status.
    static func wait(for child: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }
}
