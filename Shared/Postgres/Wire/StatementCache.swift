/// A statement that one connection has prepared, or is preparing.
final class PreparedStatement {
    /// Names are never reused.
    let name: StatementName
    /// The number in the name: statements prepared later have greater numbers.
    let serial: Int
    /// Nil until the server has described it.
    var description: RowDescription?
    /// The server has refused it on a read-only connection.
    fileprivate(set) var isWriting = false
    /// Whether it was quick when it last ran.
    var isQuick = false
    fileprivate var lastUse: Int

    fileprivate init(serial: Int, lastUse: Int) {
        name = StatementName(serial)
        self.serial = serial
        self.lastUse = lastUse
    }
}

/// The prepared statements of one connection; the least recently used is evicted first.
struct StatementCache {
    private let capacity: Int
    private var statements: [Key: PreparedStatement] = [:]
    private var uses = 0
    private var lastSerial = 0

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    mutating func find(_ sql: SQL) -> PreparedStatement? {
        guard let known = statements[Key(sql: sql)] else { return nil }
        uses += 1
        known.lastUse = uses
        return known
    }

    /// Adds a statement, and returns the one that must be deallocated to make room.
    mutating func insert(_ sql: SQL) -> (statement: PreparedStatement, evicted: PreparedStatement?) {
        var evicted: PreparedStatement?
        if statements.count >= capacity, let oldest = statements.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            evicted = statements.removeValue(forKey: oldest.key)
        }
        uses += 1
        lastSerial += 1
        let statement = PreparedStatement(serial: lastSerial, lastUse: uses)
        statements[Key(sql: sql.withoutValues)] = statement
        return (statement, evicted)
    }

    /// Remembers that a statement writes.
    mutating func markWriting(_ sql: SQL) {
        statements[Key(sql: sql)]?.isWriting = true
    }

    /// Removes a statement, unless it was prepared again after `serial`.
    mutating func remove(_ sql: SQL, through serial: Int) -> PreparedStatement? {
        let key = Key(sql: sql)
        guard let known = statements[key], known.serial <= serial else { return nil }
        return statements.removeValue(forKey: key)
    }

    mutating func removeAll() {
        statements.removeAll(keepingCapacity: true)
    }

    /// Statements are the same if their texts and parameter types are; values do not matter.
    private struct Key: Hashable {
        let sql: SQL

        static func == (left: Key, right: Key) -> Bool {
            guard left.sql.text == right.sql.text, left.sql.parameters.count == right.sql.parameters.count else {
                return false
            }
            for index in left.sql.parameters.indices
            where left.sql.parameters[index].type != right.sql.parameters[index].type {
                return false
            }
            return true
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(sql.text)
            for parameter in sql.parameters { hasher.combine(parameter.type.rawValue) }
        }
    }
}
