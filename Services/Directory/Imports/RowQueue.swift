/// In which order the rows of a chunk are taken: together, but a row that could be the same record as an earlier one comes
/// after it, when the earlier one can be found.
///
/// Each key has a queue of the rows that have it; a row is ready when it is the first in all of its queues. So the work is
/// as much as there are keys, also when all rows have the same one.
struct RowQueue {
    private let keys: [[String]]
    private var queues: [String: ArraySlice<Int>] = [:]
    /// Of a row: the number of its queues in which it is not the first.
    private var behind: [Int]
    /// The rows that wait for none, in their order.
    private(set) var ready: [Int] = []

    /// - Parameter keys: of each row; a record that two rows could both be is a key that they share.
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

    /// These of the ready rows are done with: those that waited for them may be ready now.
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
