import ClubProtocol
import Crypto
import NIOCore
import ServiceKit

/// Takes a bank's file: spools it, detects its format by how it begins, and reads it.
struct BankFileReader {
    private enum Reader {
        case table(BankTable)
        case document(Camt053)
    }

    /// Spools a body to disk, so that it is read at our own speed.
    ///
    /// - Throws: 413 beyond ``BankFile/limits``; 503 when there is no room; what reading the body throws.
    static func spool(_ body: UploadBody) async throws -> SpooledFile {
        let file = try SpooledFile()
        var size = 0
        for try await buffer in body {
            size += buffer.readableBytes
            guard size <= BankFile.limits.bytes else {
                throw Problem(.contentTooLarge, "A bank statement has at most \(BankFile.limits.bytes >> 20) MiB.")
            }
            try await file.append(buffer)
        }
        return file
    }

    /// - Parameter account: the account it belongs to, where the file does not state it.
    /// - Returns: the file, with its SHA-256 in hexadecimal.
    /// - Throws: 422 if it is not a bank's file.
    static func read(_ file: SpooledFile, account: String?) async throws -> (file: BankFile, sha256: String) {
        var hash = SHA256()
        var reader: Reader?
        for try await buffer in file {
            let bytes = Array(buffer.readableBytesView)
            hash.update(data: bytes)
            reader = try take(bytes, by: reader, account: account)
        }
        let read: BankFile
        switch reader {
        case .table(var table): read = try table.finish()
        case .document(var document): read = try document.finish()
        case nil: throw Problem(.invalid, "The file is empty.")
        }
        return (read, BankEntry.hexadecimal(hash.finalize()))
    }

    private static func take(_ bytes: [UInt8], by reader: Reader?, account: String?) throws(Problem) -> Reader {
        let reader = if let reader { reader } else { try begin(bytes, account: account) }
        switch reader {
        case .table(var table):
            try table.read(bytes)
            return .table(table)
        case .document(var document):
            try document.read(bytes)
            return .document(document)
        }
    }

    /// XML begins with `<`, after an optional byte order mark and white space.
    private static func begin(_ bytes: [UInt8], account: String?) throws(Problem) -> Reader {
        let blanks: Set<UInt8> = [0xEF, 0xBB, 0xBF, 0xFF, 0xFE, 0, 0x20, 0x09, 0x0A, 0x0D]
        let first = bytes.first { !blanks.contains($0) }
        if first == UInt8(ascii: "<") { return .document(Camt053()) }
        return .table(try BankTable(beginning: bytes, account: account))
    }
}
