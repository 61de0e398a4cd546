import ClubProtocol
import FoundationEssentials
import Glibc
import HTTPTypes
import NIOCore
import NIOPosix
import ServiceKit

/// A body spooled to disk, so that it is read at our own speed instead of its sender's, and in constant memory.
///
/// It has no name, and disappears with its last reader, however the service ends.
final class SpooledFile: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    private static let io = NonBlockingFileIO(threadPool: .singleton)
    private let handle: NIOFileHandle

    /// - Throws: 503 if no file can be created.
    convenience init(in folder: String = FileManager.default.temporaryDirectory.path) throws {
        var path = Array("\(folder)/club-import-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw Self.refusal(errno) }
        unlink(path)
        self.init(descriptor: descriptor)
    }

    /// - Parameter descriptor: of an open file, closed together with this one.
    init(descriptor: CInt) {
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
    }

    deinit {
        try? handle.close()
    }

    /// Spools a whole body.
    ///
    /// - Throws: 503 when there is no room for it; what reading the body throws.
    static func taking(_ body: UploadBody) async throws -> SpooledFile {
        let file = try SpooledFile()
        for try await buffer in body { try await file.append(buffer) }
        return file
    }

    func append(_ buffer: ByteBuffer) async throws {
        do {
            try await Self.io.write(fileHandle: handle, buffer: buffer)
        } catch let error as IOError {
            throw Self.refusal(error.errnoCode)
        }
    }

    private static func refusal(_ code: CInt) -> Problem {
        Problem(
            .unavailable, "The file cannot be stored: \(String(cString: strerror(code))).",
            headers: [.retryAfter: "60"])
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(file: self) }

    struct AsyncIterator: AsyncIteratorProtocol {
        private static var piece: Int { 256 << 10 }

        let file: SpooledFile
        private var position: Int64 = 0

        init(file: SpooledFile) {
            self.file = file
        }

        mutating func next() async throws -> ByteBuffer? {
            let buffer = try await SpooledFile.io.read(
                fileHandle: file.handle, fromOffset: position, byteCount: Self.piece, allocator: ByteBufferAllocator())
            position += Int64(buffer.readableBytes)
            return buffer.readableBytes > 0 ? buffer : nil
        }
    }
}
