import FoundationEssentials

/// One value to decode into a `Decodable`: a column of a row, or an element of an array.
struct Cell {
    private enum Source {
        case column(QueryResult, row: Int, column: Int)
        case element([UInt8])
    }

    private let source: Source
    let type: UInt32
    /// The column's name, for errors.
    let name: String

    init(_ result: QueryResult, row: Int, column: Int, name: String) {
        source = .column(result, row: row, column: column)
        type = result.type(column)
        self.name = name
    }

    init(element: [UInt8], type: UInt32, name: String) {
        source = .element(element)
        self.type = type
        self.name = name
    }

    var isNull: Bool {
        switch source {
        case .column(let result, let row, let column): result.isNull(row: row, column: column)
        case .element: false
        }
    }

    private var isJSON: Bool { type == PostgresType.jsonb.rawValue || type == PostgresType.json.rawValue }

    /// Provides the value's bytes during the call. NULL is an error.
    func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws(PostgresError) -> Value) throws(PostgresError)
        -> Value
    {
        switch source {
        case .column(let result, let row, let column):
            return unsafe try result.withBytes(row: row, column: column) { bytes throws(PostgresError) in
                guard let bytes = unsafe bytes else {
                    throw PostgresError(.decoding, column: name, message: "column \"\(name)\" is NULL")
                }
                do throws(PostgresError) { return unsafe try body(bytes) } catch { throw error.at(column: name) }
            }
        case .element(let element):
            let outcome: Result<Value, PostgresError> = unsafe element.withUnsafeBytes { bytes in
                do throws(PostgresError) { return .success(unsafe try body(bytes)) } catch { return .failure(error) }
            }
            do throws(PostgresError) { return try outcome.get() } catch { throw error.at(column: name) }
        }
    }

    /// A text; timestamps as RFC 3339 in UTC.
    func string() throws(PostgresError) -> String {
        unsafe try withBytes { bytes throws(PostgresError) in
            if type == PostgresType.timestamptz.rawValue {
                var text: [UInt8] = []
                text.reserveCapacity(32)
                unsafe TimestampText.writeRFC3339(bytes, into: &text)
                return String(decoding: text, as: UTF8.self)
            }
            return unsafe String(decoding: bytes, as: UTF8.self)
        }
    }

    func integer<Integer: FixedWidthInteger>(_: Integer.Type) throws(PostgresError) -> Integer {
        unsafe try withBytes { bytes throws(PostgresError) in
            unsafe try Decimal.decode(bytes, type: type, as: Integer.self)
        }
    }

    func scalar<Value: PostgresDecodable>(_: Value.Type) throws(PostgresError) -> Value {
        unsafe try withBytes { bytes throws(PostgresError) in unsafe try Value.decode(postgres: bytes, type: type) }
    }

    /// Any decodable type: JSON columns through JSON, arrays by element, everything else as a single value.
    ///
    /// The types' own errors quote the values they refuse; the error thrown here names only the column and the type.
    func decode<T: Decodable>(_: T.Type) throws -> T {
        if let value: T = try known() { return value }
        do {
            guard isJSON else { return try T(from: CellDecoder(cell: self)) }
            let data = unsafe try withBytes { bytes throws(PostgresError) in unsafe Data(bytes) }
            return try Cell.json.decode(T.self, from: data)
        } catch let error as PostgresError {
            throw error
        } catch {
            throw PostgresError.mismatch(T.self, type).at(column: name)
        }
    }

    private static let json = JSONDecoder()

    /// Types whose own `init(from:)` expects something other than the column's text.
    private func known<T>() throws -> T? {
        switch T.self {
        case is String.Type: try string() as? T
        case is Int.Type: try integer(Int.self) as? T
        case is Date.Type: isJSON ? nil : try scalar(Date.self) as? T
        case is UUID.Type: isJSON ? nil : try scalar(UUID.self) as? T
        case is [UInt8].Type where type == PostgresType.bytea.rawValue: try scalar([UInt8].self) as? T
        case is Data.Type where type == PostgresType.bytea.rawValue: Data(try scalar([UInt8].self)) as? T
        case is URL.Type where !isJSON: try URL(string: string()) as? T
        case is FoundationEssentials.Decimal.Type where !isJSON:
            try FoundationEssentials.Decimal(string: string()) as? T
        default: nil
        }
    }

    /// The elements of an array; nil for NULL.
    func elements() throws(PostgresError) -> [Cell?] {
        unsafe try withBytes { bytes throws(PostgresError) in
            let element = try ArrayText.elementType(of: type, as: [Any].self)
            return unsafe try ArrayText.read(bytes, as: [Any].self, type: type) { bytes throws(PostgresError) in
                guard let bytes = unsafe bytes else { return nil }
                return unsafe Cell(element: [UInt8](bytes), type: element, name: name)
            }
        }
    }
}
