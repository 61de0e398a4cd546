/// A type of the server, by its object identifier (`pg_type.oid`; those of built-in types never change).
package struct PostgresType: RawRepresentable, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The server infers the type from the parameter's context: an enum, a domain, or the column's type.
    package static let unspecified = PostgresType(rawValue: 0)
    package static let bool = PostgresType(rawValue: 16)
    package static let bytea = PostgresType(rawValue: 17)
    package static let name = PostgresType(rawValue: 19)
    package static let int8 = PostgresType(rawValue: 20)
    package static let int2 = PostgresType(rawValue: 21)
    package static let int4 = PostgresType(rawValue: 23)
    package static let text = PostgresType(rawValue: 25)
    package static let oid = PostgresType(rawValue: 26)
    package static let xid = PostgresType(rawValue: 28)
    package static let json = PostgresType(rawValue: 114)
    package static let float4 = PostgresType(rawValue: 700)
    package static let float8 = PostgresType(rawValue: 701)
    package static let bpchar = PostgresType(rawValue: 1042)
    package static let varchar = PostgresType(rawValue: 1043)
    package static let date = PostgresType(rawValue: 1082)
    package static let timestamp = PostgresType(rawValue: 1114)
    package static let timestamptz = PostgresType(rawValue: 1184)
    package static let numeric = PostgresType(rawValue: 1700)
    package static let uuid = PostgresType(rawValue: 2950)
    package static let jsonb = PostgresType(rawValue: 3802)
    package static let xid8 = PostgresType(rawValue: 5069)

    package static let jsonArray = PostgresType(rawValue: 199)
    package static let boolArray = PostgresType(rawValue: 1000)
    package static let byteaArray = PostgresType(rawValue: 1001)
    package static let nameArray = PostgresType(rawValue: 1003)
    package static let int2Array = PostgresType(rawValue: 1005)
    package static let int4Array = PostgresType(rawValue: 1007)
    package static let textArray = PostgresType(rawValue: 1009)
    package static let bpcharArray = PostgresType(rawValue: 1014)
    package static let varcharArray = PostgresType(rawValue: 1015)
    package static let int8Array = PostgresType(rawValue: 1016)
    package static let float4Array = PostgresType(rawValue: 1021)
    package static let float8Array = PostgresType(rawValue: 1022)
    package static let dateArray = PostgresType(rawValue: 1182)
    package static let timestampArray = PostgresType(rawValue: 1115)
    package static let timestamptzArray = PostgresType(rawValue: 1185)
    package static let numericArray = PostgresType(rawValue: 1231)
    package static let uuidArray = PostgresType(rawValue: 2951)
    package static let jsonbArray = PostgresType(rawValue: 3807)

    /// The type of an array of this type; `unspecified` if this module does not know it.
    package var array: PostgresType {
        switch self {
        case .bool: .boolArray
        case .bytea: .byteaArray
        case .name: .nameArray
        case .int8: .int8Array
        case .int2: .int2Array
        case .int4: .int4Array
        case .text: .textArray
        case .json: .jsonArray
        case .float4: .float4Array
        case .float8: .float8Array
        case .bpchar: .bpcharArray
        case .varchar: .varcharArray
        case .date: .dateArray
        case .timestamp: .timestampArray
        case .timestamptz: .timestamptzArray
        case .numeric: .numericArray
        case .uuid: .uuidArray
        case .jsonb: .jsonbArray
        default: .unspecified
        }
    }

    /// The type of this array's elements, or nil if it is not an array.
    package var element: PostgresType? {
        switch self {
        case .boolArray: .bool
        case .byteaArray: .bytea
        case .nameArray: .name
        case .int8Array: .int8
        case .int2Array: .int2
        case .int4Array: .int4
        case .textArray: .text
        case .jsonArray: .json
        case .float4Array: .float4
        case .float8Array: .float8
        case .bpcharArray: .bpchar
        case .varcharArray: .varchar
        case .dateArray: .date
        case .timestampArray: .timestamp
        case .timestamptzArray: .timestamptz
        case .numericArray: .numeric
        case .uuidArray: .uuid
        case .jsonbArray: .jsonb
        default: nil
        }
    }
}

extension PostgresType: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unspecified: "unspecified"
        case .bool: "bool"
        case .bytea: "bytea"
        case .int8: "int8"
        case .int2: "int2"
        case .int4: "int4"
        case .text: "text"
        case .json: "json"
        case .float4: "float4"
        case .float8: "float8"
        case .bpchar: "bpchar"
        case .varchar: "varchar"
        case .date: "date"
        case .timestamp: "timestamp"
        case .timestamptz: "timestamptz"
        case .numeric: "numeric"
        case .uuid: "uuid"
        case .jsonb: "jsonb"
        case .xid8: "xid8"
        default: element.map { "\($0)[]" } ?? "type \(rawValue)"
        }
    }
}
