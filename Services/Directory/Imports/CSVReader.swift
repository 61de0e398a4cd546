import ClubProtocol

/// Reads the records of a CSV file as its bytes arrive (RFC 4180 and what people make of it): comma, semicolon, tab or
/// bar, CRLF, LF or CR, quotes with line breaks in them, blank lines, remarks before the headers. Its memory is one record, of any size of file.
///
/// A reader of our own because SwiftCSV, like the other CSV packages for Swift, wants the whole file as one `String`
/// first: an import has to run in constant memory, in an encoding that is only known field by field, and to name the row
/// of a quote that is never closed.
struct CSVReader {
    struct Record: Equatable {
        /// The cells as text, without their quotes.
        var cells: [String]
        /// What is wrong with the record as a whole, if something is.
        var fault: String?
        /// Whether records behind it may have been taken for a part of it: a quote is opened, and closed elsewhere or nowhere.
        var mayHoldOthers = false
    }

    /// The longest record in bytes.
    static let limit = 256 << 10

    private enum State {
        case fieldStart
        case plain
        case quoted
        /// After a quote in a quoted field: the end of it, or the first of two that stand for one.
        case quoteInQuoted
        /// In a record that is too long, up to its end.
        case skipping
    }

    private var transcoder = TextTranscoder()
    /// Not known before the first record is complete.
    private var delimiter: UInt8?
    /// The first record, while the delimiter is not known.
    private var head: [UInt8] = []
    private var headIsQuoted = false
    private var state = State.fieldStart
    private var field: [UInt8] = []
    private var cells: [String] = []
    private var size = 0
    /// Whether every cell of the record is text that can be worked on at a cost that its length tells.
    private var isStreamSafe = true
    /// Whether what a quote opens ends in the midst of a later line, as the quote of another cell there does, or is too long.
    private var isTorn = false
    private var afterCarriageReturn = false

    /// - Parameter delimiter: where the caller knows it better than the first record tells.
    init(delimiter: UInt8? = nil) {
        self.delimiter = delimiter
    }

    /// Takes the next bytes of the file and gives the records that are complete by now.
    mutating func read(_ bytes: some Collection<UInt8>) -> [Record] {
        var records: [Record] = []
        accept(transcoder.transcode(bytes), into: &records)
        return records
    }

    /// Gives what is left when the file has ended.
    mutating func finish() -> [Record] {
        var records: [Record] = []
        accept(transcoder.finish(), into: &records)
        if delimiter == nil {
            if Self.beginsComment(head) { head = [] }
            begin(into: &records)
        }
        switch state {
        case .quoted:
            isTorn = true
            endRecord(fault: nil, into: &records)
        case .skipping: endRecord(fault: "is longer than \(Self.limit >> 10) KiB", into: &records)
        case .fieldStart where cells.isEmpty: break
        default: endRecord(fault: nil, into: &records)
        }
        return records
    }

    private mutating func accept(_ bytes: [UInt8], into records: inout [Record]) {
        guard delimiter == nil else {
            for byte in bytes { step(byte, into: &records) }
            return
        }
        for (index, byte) in bytes.enumerated() {
            head.append(byte)
            let isComment = Self.beginsComment(head)
            if isComment { headIsQuoted = false } else if byte == UInt8(ascii: "\"") { headIsQuoted.toggle() }
            let isEnd = !headIsQuoted && (byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r"))
            let isNothing = isEnd && (isComment || head.count == 1)
            if isNothing { head.removeAll() }
            if (isEnd && !isNothing) || head.count > Self.limit {
                begin(into: &records)
                for byte in bytes[(index + 1)...] { step(byte, into: &records) }
                return
            }
        }
    }

    /// Before the headers, some tables tell where they come from: `% Requête : …` (the Senate's), `# a comment`. A header
    /// may begin with such a sign too, but no blank follows it: `#;Nom;SIRET`.
    private static func beginsComment(_ line: [UInt8]) -> Bool {
        line.count > 1 && (line[0] == UInt8(ascii: "%") || line[0] == UInt8(ascii: "#"))
            && (line[1] == UInt8(ascii: " ") || line[1] == UInt8(ascii: "\t"))
    }

    /// Finds the delimiter in the first record, and reads that.
    private mutating func begin(into records: inout [Record]) {
        var line = head[...]
        // Excel's own first line: `sep=;`
        if line.count <= 7, line.starts(with: "sep=".utf8), let mark = line.dropFirst(4).first {
            delimiter = mark
            line = []
        } else {
            delimiter = Self.delimiter(of: line)
        }
        let bytes = Array(line)
        head = []
        for byte in bytes { step(byte, into: &records) }
    }

    /// The candidate that stands most often outside of quotes; the comma when none does.
    private static func delimiter(of line: ArraySlice<UInt8>) -> UInt8 {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in line {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted { counts[byte, default: 0] += 1 }
        }
        var best = UInt8(ascii: ",")
        for candidate in ";\t|".utf8 where counts[candidate, default: 0] > counts[best, default: 0] { best = candidate }
        return best
    }

    private mutating func step(_ byte: UInt8, into records: inout [Record]) {
        let isLineFeed = byte == UInt8(ascii: "\n")
        let wasCarriageReturn = afterCarriageReturn
        afterCarriageReturn = byte == UInt8(ascii: "\r") && state != .quoted
        if isLineFeed && wasCarriageReturn { return }
        size += 1
        if size > Self.limit && state != .skipping {
            field = []
            // Within quotes a line end says nothing: the rest of the file is the record, and is not kept.
            if state == .quoted || state == .quoteInQuoted { isTorn = true }
            state = state == .quoted ? .quoted : .skipping
            if state == .quoted { cells = [] }
        }
        switch state {
        case .quoted:
            if byte == UInt8(ascii: "\"") { state = .quoteInQuoted } else if size <= Self.limit { field.append(byte) }
        case .quoteInQuoted where byte == UInt8(ascii: "\""):
            field.append(byte)
            state = .quoted
        case .fieldStart where byte == UInt8(ascii: "\""):
            state = .quoted
        case .quoteInQuoted where byte != delimiter && !isLineFeed && byte != UInt8(ascii: "\r"):
            // On one line it is somebody's way of writing; over several, the quote before belongs to another cell.
            if field.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) { isTorn = true }
            field.append(byte)
            state = .plain
        default:
            if isLineFeed || byte == UInt8(ascii: "\r") {
                endRecord(fault: size > Self.limit ? "is longer than \(Self.limit >> 10) KiB" : nil, into: &records)
            } else if state != .skipping {
                if byte == delimiter {
                    endField()
                } else {
                    field.append(byte)
                    state = .plain
                }
            }
        }
    }

    private mutating func endField() {
        let cell = TextTranscoder.text(field)
        if !StreamSafe.accepts(cell) { isStreamSafe = false }
        cells.append(cell)
        field.removeAll(keepingCapacity: true)
        state = .fieldStart
    }

    private mutating func endRecord(fault: String?, into records: inout [Record]) {
        endField()
        let torn = isTorn ? "opens a quote and does not close it" : nil
        let record = Record(
            cells: cells, fault: fault ?? torn ?? (isStreamSafe ? nil : StreamSafe.refusal), mayHoldOthers: isTorn)
        cells = []
        size = 0
        isStreamSafe = true
        isTorn = false
        if record.fault != nil || record.cells.contains(where: { !$0.isBlank }) { records.append(record) }
    }
}
