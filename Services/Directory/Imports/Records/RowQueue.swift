/// The order in which the rows of a chunk are processed: together, except that a row that could be the same record as
/// an earlier one comes after it, when the earlier one can be found.
///
/// Each key has a queue of the rows that have it; a row is ready when it is first in all of its queues. So the work is
/// linear in the number of keys, even if all rows have the same one.
struct RowQueue {
    private let keys: [[String]]
    private var queues: [String: ArraySlice<Int>] = [:]
    /// For each row, the number of its queues in which it is not first.
    private var behind: [Int]
    /// The rows that wait for no other, in their order.
    private(set) var ready: [Int] = []

    /// - Parameter keys: those of each row; two rows that could be the same record share a key.
    init(keys: [[String]]) {
        self.keys = keys.map { Array(Set($0)) }
        behind = Array(repeating: 0, count: keys.count)
        for (row, keys) in self.keys.enumerated() {
            for key in keys {
                if queues[key] != nil { behind[row] += 1 }
                queues[key, default: []].append(row)
            }
            if behind[row] == 0 { ready.append(row) }
        }
    }

    /// Removes ready rows that are done: rows that waited for them may become ready.
    mutating func finish(_ rows: [Int]) {
        var next = Set(ready).subtracting(rows)
        for row in rows {
            for key in keys[row] {
                guard var queue = queues[key] else { continue }
                queue.removeFirst()
                queues[key] = queue.isEmpty ? nil : queue
                guard let first = queue.first else { continue }
                behind[first] -= 1
                if behind[first] == 0 { next.insert(first) }
            }
        }
        ready = next.sorted()
    }
}
