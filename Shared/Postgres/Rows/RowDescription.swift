import NIOCore
import Synchronization

/// The columns of a result: received once for a prepared statement, and shared by all of its results.
final class RowDescription: Sendable {
    struct Column: Sendable {
        let name: String
        let type: UInt32
    }

    static let empty = RowDescription([])

    /// The alias of a column that contains the whole object as JSON.
    static let document = "_document"

    let columns: [Column]
    /// The size of the last result, which the next one probably has too.
    private let lastBytes = Atomic<Int>(0)
    private let lastCells = Atomic<Int>(0)
    private let jsonPlan = Mutex<JSONPlan?>(nil)

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// - Parameter message: the content of a `RowDescription`.
    convenience init(_ message: ByteBuffer) throws(ProtocolViolation) {
        var message = message
        guard let count = message.readInteger(as: UInt16.self) else { throw ProtocolViolation() }
        var columns: [Column] = []
        columns.reserveCapacity(Int(count))
        for _ in 0..<count {
            // Table and column; type; its size, its modifier, and the format, which is always text.
            guard let name = message.readNullTerminatedString(),
                let (_, _, type, _, _, _) = message.readMultipleIntegers(
                    as: (UInt32, UInt16, UInt32, UInt16, UInt32, UInt16).self)
            else { throw ProtocolViolation() }
            columns.append(Column(name: name, type: type))
        }
        self.init(columns)
    }

    /// Whoever returns a large result once does not make later ones reserve more than this.
    private static let (mostBytes, mostCells) = (1 << 18, 1 << 14)

    /// The size to reserve for the next result.
    var expectedSize: (bytes: Int, cells: Int) {
        (lastBytes.load(ordering: .relaxed), lastCells.load(ordering: .relaxed))
    }

    func note(_ rows: RowBuffer) {
        lastBytes.store(min(rows.bytes.count, Self.mostBytes), ordering: .relaxed)
        lastCells.store(min(rows.cells.count, Self.mostCells), ordering: .relaxed)
    }

    /// How its rows are written as JSON.
    var plan: JSONPlan {
        jsonPlan.withLock { plan in
            if let plan { return plan }
            let made = JSONPlan(self)
            plan = made
            return made
        }
    }

    /// The first column with this name. Compared as texts, which costs a tenth of comparing bytes: a statement has no two
    /// columns whose names differ only in how an accent is written.
    func index(of name: String) -> Int? {
        columns.firstIndex { $0.name == name }
    }
}
