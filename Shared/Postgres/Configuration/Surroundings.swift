import FoundationEssentials
import Glibc

/// Where a configuration's defaults come from.
struct Surroundings: Sendable {
    struct File: Sendable {
        var bytes: [UInt8]
        /// Whether only its owner can access it.
        var isPrivate: Bool
    }

    var environment: [String: String] = [:]
    /// The name of the operating system's user.
    var user: String?
    var home: String?
    /// Returns nil if it is not a plain file, or cannot be read.
    var read: @Sendable (_ path: String) -> File? = { _ in nil }
    var exists: @Sendable (_ path: String) -> Bool = { _ in false }

    /// The directory of the Unix socket: Debian's if there is one, otherwise PostgreSQL's.
    var socketDirectory: String {
        let debian = "/var/run/postgresql"
        return exists(debian) ? debian : "/tmp"
    }

    /// Those of this process.
    static var process: Surroundings {
        let environment = ProcessInfo.processInfo.environment
        let account = Surroundings.account()
        return Surroundings(
            environment: environment, user: account?.name,
            home: environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? account?.home,
            read: Surroundings.read, exists: { unsafe access($0, F_OK) == 0 })
    }

    private static func account() -> (name: String, home: String)? {
        var buffer = [CChar](repeating: 0, count: 16_384)
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        guard unsafe getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found) == 0, unsafe found != nil else {
            return nil
        }
        return unsafe (String(cString: entry.pw_name), String(cString: entry.pw_dir))
    }

    private static let read: @Sendable (String) -> File? = { path in
        // A pipe must not block.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return File(bytes: bytes, isPrivate: status.st_mode & (S_IRWXG | S_IRWXO) == 0)
    }
}
