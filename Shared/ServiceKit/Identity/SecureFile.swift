import ClubProtocol
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a key file or trust file cannot be used: one line for the operator, never with key material.
package struct IdentityFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var reason: String

    package init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    package var description: String { "\(path): \(reason)" }
}

/// Files that hold keys: written completely or not at all, with the intended mode from the first moment.
enum SecureFile {
    /// Tells versions of a file apart. Follows symbolic links: Kubernetes swaps mounted files by them.
    struct Stamp: Hashable {
        var seconds: Int
        var nanoseconds: Int
        var inode: UInt
        var size: Int

        init?(path: String) {
            var found = stat()
            guard stat(path, &found) == 0 else { return nil }
            seconds = found.st_mtim.tv_sec
            nanoseconds = found.st_mtim.tv_nsec
            inode = found.st_ino
            size = found.st_size
        }
    }

    static func read(_ path: String) throws(IdentityFileError) -> Data {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw IdentityFileError(path, "cannot be read")
        }
        return data
    }

    /// Creates a new file; an existing one stays as it is, and is an error.
    static func create(_ bytes: Data, at path: String, mode: Int) throws(IdentityFileError) {
        let temporary = try writeBeside(path, bytes, mode: mode)
        defer { unlink(temporary) }
        // link(2), unlike rename(2), refuses to replace, so no existing key is lost.
        guard link(temporary, path) == 0 else { throw failure(path) }
    }

    /// Replaces a file atomically: a reader sees the old one or the new one, never a part.
    static func replace(_ bytes: Data, at path: String, mode: Int) throws(IdentityFileError) {
        let temporary = try writeBeside(path, bytes, mode: mode)
        guard rename(temporary, path) == 0 else {
            let error = failure(path)
            unlink(temporary)
            throw error
        }
    }

    private static func writeBeside(_ path: String, _ bytes: Data, mode: Int) throws(IdentityFileError) -> String {
        let temporary = "\(path).\(UUID().uuidString.asciiLowercased).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
        guard descriptor >= 0 else { throw failure(path) }
        let file = OpenFile(descriptor: descriptor)
        do {
            guard fchmod(descriptor, mode_t(mode)) == 0 else { throw FileFailure() }
            try file.write(bytes)
            try file.synchronize()
            try file.close()
        } catch {
            unlink(temporary)
            throw IdentityFileError(path, "cannot be written (\(error))")
        }
        return temporary
    }

    private static func failure(_ path: String) -> IdentityFileError {
        switch errno {
        case EEXIST: IdentityFileError(path, "exists already; it is never overwritten")
        case ENOENT: IdentityFileError(path, "its directory does not exist")
        case let code: IdentityFileError(path, "cannot be written (\(String(cString: strerror(code))))")
        }
    }
}
