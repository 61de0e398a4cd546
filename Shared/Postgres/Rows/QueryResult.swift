import NIOCore

/// What the server has returned for one statement. Immutable, so that any thread may read it.
final class QueryResult: Sendable {
    /// Where a value is in `bytes`.
    struct Cell {
        let offset: UInt32
        /// -1 for NULL.
        let length: Int32
    }

    let description: RowDescription
    let rowCount: Int
    /// The command tag: `INSERT 0 1`, `COMMIT`; empty for an empty statement.
    let commandTag: String
    /// The content of the rows' messages, one after the other.
    private let bytes: [UInt8]
    /// Row by row.
    private let cells: [Cell]

    init(_ description: RowDescription, _ rows: RowBuffer, commandTag: String) {
        self.description = description
        self.commandTag = commandTag
        rowCount = rows.count
        bytes = rows.bytes
        cells = rows.cells
    }

    static let empty = QueryResult(.empty, RowBuffer(), commandTag: "")

    var columnCount: Int { description.columns.count }

    func type(_ column: Int) -> UInt32 { description.columns[column].type }

    func name(_ column: Int) -> String { description.columns[column].name }

    func isNull(row: Int, column: Int) -> Bool { cells[row * columnCount + column].length < 0 }

    /// Provides a value's bytes during the call, nil for NULL.
    func withBytes<Value, Failure: Error>(
        row: Int, column: Int, _ body: (UnsafeRawBufferPointer?) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let cell = cells[row * columnCount + column]
        guard cell.length >= 0 else { return try body(nil) }
        let start = Int(cell.offset)
        return unsafe try bytes.withContent { (content: UnsafeRawBufferPointer) throws(Failure) in
            unsafe try body(UnsafeRawBufferPointer(rebasing: content[start..<start + Int(cell.length)]))
        }
    }

    /// Provides all rows during the call: the bytes, and where in them the values are.
    func withRows<Value>(_ body: (UnsafeRawBufferPointer, [Cell]) -> Value) -> Value {
        unsafe bytes.withUnsafeBytes { unsafe body($0, cells) }
    }

    /// Rows affected by `insert`, `update`, `delete`, `merge`, or the number of rows selected: the last word of the
    /// command tag, if it is a number.
    var affected: Int {
        commandTag.utf8.lastIndex(of: UInt8(ascii: " ")).flatMap { Int(commandTag[$0...].dropFirst()) } ?? 0
    }
}

/// The rows of a result while they arrive.
struct RowBuffer {
    private(set) var bytes: [UInt8] = []
    private(set) var cells: [QueryResult.Cell] = []
    private(set) var count = 0

    /// Reserves space for a result of the usual size.
    mutating func reserve(for description: RowDescription) {
        let size = description.expectedSize
        guard size.cells > 0 else { return }
        bytes.reserveCapacity(size.bytes)
        cells.reserveCapacity(size.cells)
    }

    /// Adds the content of a `DataRow`.
    ///
    /// - Parameters:
    ///   - start: where it begins in `buffer`.
    ///   - columns: how many columns it must have.
    mutating func append(
        _ buffer: ByteBuffer, at start: Int, length: Int, columns: Int
    ) throws(ProtocolViolation) {
        guard buffer.getInteger(at: start, as: UInt16.self) == UInt16(truncatingIfNeeded: columns),
            bytes.count + length <= Int(UInt32.max)
        else { throw ProtocolViolation() }
        let shift = bytes.count - start
        let end = start + length
        var position = start + 2
        for _ in 0..<columns {
            guard let size = buffer.getInteger(at: position, as: Int32.self) else { throw ProtocolViolation() }
            position += 4
            guard position <= end, size <= end - position else { throw ProtocolViolation() }
            cells.append(QueryResult.Cell(offset: UInt32(position + shift), length: size))
            if size > 0 { position += Int(size) }
        }
        guard position == end else { throw ProtocolViolation() }
        unsafe buffer.withUnsafeReadableBytes { readable in
            let first = start - buffer.readerIndex
            unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: readable[first..<first + length]))
        }
        count += 1
    }
}

extension Array where Element == UInt8 {
    /// As `withUnsafeBytes`, with the error's type.
    fileprivate func withContent<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let outcome: Result<Value, Failure> = unsafe withUnsafeBytes { content in
            do throws(Failure) { return .success(unsafe try body(content)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }
}
