import ClubProtocol
import Glibc
import Synchronization

/// Why a file could not be used: the system's error.
package struct FileFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: CInt

    /// - Parameter code: the error of the call that just failed.
    package init(code: CInt = errno) {
        self.code = code
    }

    package var description: String { String(cString: strerror(code)) }
}

/// An open file, with the few file operations that the services need. Closed when its last reference goes.
package final class OpenFile: Sendable {
    package static let standardOutput = OpenFile(descriptor: STDOUT_FILENO, isOwned: false)
    package static let standardError = OpenFile(descriptor: STDERR_FILENO, isOwned: false)

    private let descriptor: CInt
    /// Whether it still has to be closed.
    private let isOwned: Atomic<Bool>

    /// - Parameters:
    ///   - descriptor: of an open file.
    ///   - isOwned: whether the descriptor is closed with this value.
    package init(descriptor: CInt, isOwned: Bool = true) {
        self.descriptor = descriptor
        self.isOwned = Atomic(isOwned)
    }

    /// - Throws: ``FileFailure``.
    package convenience init(reading path: String) throws(FileFailure) {
        self.init(descriptor: try Self.checked(open(path, O_RDONLY | O_CLOEXEC)))
    }

    /// Creates the file, or truncates the existing one.
    ///
    /// - Throws: ``FileFailure``.
    package convenience init(writing path: String) throws(FileFailure) {
        self.init(descriptor: try Self.checked(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)))
    }

    deinit {
        try? close()
    }

    /// The size of the file in bytes; 0 for one without a size, such as a pipe.
    package var size: Int {
        var found = stat()
        return fstat(descriptor, &found) == 0 ? Int(found.st_size) : 0
    }

    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// The width of the terminal in columns; nil if this is not a terminal, or it does not report its width.
    package var columns: Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Goes back to the beginning; false for what cannot be read twice, such as a pipe.
    package func rewind() -> Bool { lseek(descriptor, 0, SEEK_SET) == 0 }

    /// The next bytes, empty at the end.
    ///
    /// - Throws: ``FileFailure``.
    package func read(upTo count: Int) throws(FileFailure) -> [UInt8] {
        var code: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var done = -1
            repeat { done = Glibc.read(descriptor, buffer.baseAddress, count) } while done < 0 && errno == EINTR
            if done < 0 { code = errno }
            filled = max(0, done)
        }
        guard code == 0 else { throw FileFailure(code: code) }
        return bytes
    }

    /// The whole of a file whose size is not known beforehand, such as those of procfs, up to a limit.
    ///
    /// - Throws: ``FileFailure``.
    package func readToEnd(atMost limit: Int) throws(FileFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            let more = try read(upTo: min(limit - bytes.count, 64 << 10))
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    /// Writes all bytes.
    ///
    /// - Throws: ``FileFailure``.
    package func write(_ bytes: some Collection<UInt8>) throws(FileFailure) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let done = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if done < 0, errno != EINTR { throw FileFailure() }
            rest = rest.dropFirst(max(0, done))
        }
    }

    /// Waits until everything written is on the disk.
    ///
    /// - Throws: ``FileFailure``.
    package func synchronize() throws(FileFailure) {
        _ = try Self.checked(fsync(descriptor))
    }

    /// Closes it now, so that an error of the last write is reported.
    ///
    /// - Throws: ``FileFailure``.
    package func close() throws(FileFailure) {
        guard isOwned.exchange(false, ordering: .relaxed) else { return }
        _ = try Self.checked(Glibc.close(descriptor))
    }
}

extension OpenFile {
    /// Creates a folder, and its missing parents.
    ///
    /// - Throws: ``FileFailure``.
    package static func makeFolder(_ path: String, mode: UInt32 = 0o777) throws(FileFailure) {
        var place = path.hasBytePrefix("/") ? "" : "."
        for name in path.split(atByte: UInt8(ascii: "/"), omittingEmpty: true) {
            place += "/\(name)"
            guard mkdir(place, mode) != 0, errno != EEXIST else { continue }
            throw FileFailure()
        }
        var found = stat()
        _ = try checked(stat(path, &found))
        guard found.st_mode & S_IFMT == S_IFDIR else { throw FileFailure(code: ENOTDIR) }
    }

    /// Renames a file in one step, replacing any file of that name.
    ///
    /// - Throws: ``FileFailure``.
    package static func move(_ path: String, to other: String) throws(FileFailure) {
        _ = try checked(rename(path, other))
    }

    private static func checked(_ result: CInt) throws(FileFailure) -> CInt {
        guard result >= 0 else { throw FileFailure() }
        return result
    }
}
