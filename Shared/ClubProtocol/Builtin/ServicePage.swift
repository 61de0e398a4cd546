import HTTPTypes

/// The page at the root of every service, for developers and operators.
package enum ServicePageAPI {
    package static let endpoints: [any Endpoint.Type] = [ShowService.self]
}

/// Shows what the service is and where its documents are.
package enum ShowService: Endpoint {
    package static let operation = Operation(
        .get, "/", "Shows what the service is and where its documents are, as a page.", access: .anyone, produces: .html
    )

    package typealias Response = TextDocument
}
