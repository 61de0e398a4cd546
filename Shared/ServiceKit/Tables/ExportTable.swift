package import Postgres

/// The content of a table of records: its headers, and the text of each cell from the database.
package struct ExportTable: Sendable {
    package struct Column: Sendable {
        var header: String
        /// Of type text; null for an empty cell.
        var cell: SQL
        /// Whether it only contains amounts, which we generate.
        var isAmount = false

        package init(_ header: String, _ cell: SQL) {
            self.header = header
            self.cell = cell
        }

        /// Euros, `-50.00`, of an expression of cents.
        package static func amount(_ header: String, _ cents: SQL) -> Self {
            var column = Self(header, "to_char((\(cents)) / 100.0, 'FM9999999999990.00')")
            column.isAmount = true
            return column
        }
    }

    /// The order of the list: by two columns that together are unique, and their types.
    package struct Order: Sendable {
        let first: (column: SQL, type: SQL)
        let second: (column: SQL, type: SQL)
        let isDescending: Bool

        package init(
            first: (column: SQL, type: SQL), second: (column: SQL, type: SQL), isDescending: Bool = false
        ) {
            self.first = first
            self.second = second
            self.isDescending = isDescending
        }
    }

    let columns: [Column]
    private let source: SQL
    private let order: Order

    /// - Parameter source: what the columns are of: a table, or several joined.
    package init(columns: [Column], source: SQL, order: Order) {
        self.columns = columns
        self.source = source
        self.order = order
    }

    /// A page in the order of the list: the cells of the columns, then the position of the row.
    ///
    /// - Parameter last: the last row of the page before.
    func page(where condition: SQL, after last: Row?, limit: Int) throws -> SQL {
        var rules = [condition]
        if let last {
            let place: (first: String, second: String) = (try last["_first"], try last["_second"])
            rules.append(
                """
                (\(order.first.column), \(order.second.column)) \(order.isDescending ? "<" : ">" as SQL)
                    (\(place.first)::text::\(order.first.type), \(place.second)::text::\(order.second.type))
                """)
        }
        let direction: SQL = order.isDescending ? "desc" : "asc"
        let page: SQL = """
            select \(columns.map(\.cell).joined(separator: ", ")), (\(order.first.column))::text as "_first",
                (\(order.second.column))::text as "_second"
            from \(source) where \(rules.all)
            order by \(order.first.column) \(direction), \(order.second.column) \(direction) limit \(limit)
            """
        return page.plannedByValue
    }
}
