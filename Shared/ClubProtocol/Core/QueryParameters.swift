/// Parameters of which none is required, such as a filter.
package protocol OptionalParameters: Codable, Sendable {
    /// None of them: a filter that selects everything.
    init()
}

extension Empty: OptionalParameters {}

/// The parameters of two types as one flat query: a filter and a page, a filter and the options of a table.
///
/// The members of both are members of the whole. The two have no parameter of the same name.
@dynamicMemberLookup
package struct Combined<First: Codable & Sendable, Second: Codable & Sendable>: Codable, Sendable {
    package var first: First
    package var second: Second

    package init(_ first: First, _ second: Second) {
        self.first = first
        self.second = second
    }

    package init(from decoder: any Decoder) throws {
        // Both, even if the first throws: an unknown parameter is one that neither has.
        let first = Result { try First(from: decoder) }
        let second = Result { try Second(from: decoder) }
        self.first = try first.get()
        self.second = try second.get()
    }

    package func encode(to encoder: any Encoder) throws {
        try first.encode(to: encoder)
        try second.encode(to: encoder)
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<First, Value>) -> Value {
        get { first[keyPath: path] }
        set { first[keyPath: path] = newValue }
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<Second, Value>) -> Value {
        get { second[keyPath: path] }
        set { second[keyPath: path] = newValue }
    }
}

extension Combined: OptionalParameters where First: OptionalParameters, Second: OptionalParameters {
    package init() {
        self.init(First(), Second())
    }
}

// MARK: Pages

/// The query of a list: its filter and a page of it. Every list accepts `limit` (1 to 200, default 50) and `cursor`.
package typealias Paged<Filter: Codable & Sendable> = Combined<Filter, Paging>

/// Which page of a list.
package struct Paging: OptionalParameters, Hashable {
    package var limit: PageLimit?
    package var cursor: Cursor?

    package init() {}

    init(limit: PageLimit?, cursor: Cursor?) {
        self.limit = limit
        self.cursor = cursor
    }
}

extension Combined where Second == Paging {
    package init(_ filter: First, limit: PageLimit? = nil, cursor: Cursor? = nil) {
        self.init(filter, Paging(limit: limit, cursor: cursor))
    }
}

extension Combined where First: OptionalParameters, Second == Paging {
    /// A page of the whole list.
    package init(limit: PageLimit? = nil, cursor: Cursor? = nil) {
        self.init(First(), limit: limit, cursor: cursor)
    }
}

/// A query that has a page.
package protocol PagedQuery {
    var paging: Paging { get }
}

extension Combined: PagedQuery where Second == Paging {
    package var filter: First { first }
    package var paging: Paging { second }
}

// MARK: Tables

/// The query of a list as a table: the filter of the list and the options of a table.
package typealias Table<Filter: Codable & Sendable> = Combined<Filter, TableOptions>

/// How a table is written.
package struct TableOptions: OptionalParameters, Hashable {
    /// Semicolons, decimal commas and a byte order mark, so that French Excel opens the file correctly on double-click.
    package var excel: Bool?

    package init() {}

    init(excel: Bool?) {
        self.excel = excel
    }
}

extension Combined where Second == TableOptions {
    package init(_ filter: First, excel: Bool? = nil) {
        self.init(filter, TableOptions(excel: excel))
    }

    package var filter: First { first }
}

extension Combined where First: OptionalParameters, Second == TableOptions {
    /// The whole list.
    package init(excel: Bool? = nil) {
        self.init(First(), excel: excel)
    }
}
