import ClubProtocol
import HTTPTypes

/// Makes the response to a problem: the problem document, or a page for people where an operation produces pages.
struct ProblemResponses: Sendable {
    let mapping: ProblemMapping
    /// The page for a problem, with the request's identifier.
    private let problemPage: (@Sendable (Problem, String) -> String)?
    private let pageFolders: [String]

    /// - Parameters:
    ///   - constraints: the problems of changes that a database constraint refuses, by its name.
    ///   - page: nil for a service without pages.
    ///   - pageFolders: below these, unknown paths are answered with a page too.
    init(
        constraints: [String: Problem], page: (@Sendable (Problem, String) -> String)?, pageFolders: [String]
    ) {
        mapping = ProblemMapping(constraints: constraints)
        problemPage = page
        self.pageFolders = pageFolders
    }

    /// The response to a problem on a route: a page if the route produces pages, or if it is a signed link's and opened
    /// in a browser; otherwise the problem document.
    func response(to problem: Problem, requestID: String, route: Route?, acceptsPages: Bool) -> RawResponse {
        guard let problemPage, let route, route.operation.produces == .html || (route.isLink && acceptsPages) else {
            return RawResponse(problem, requestID: requestID)
        }
        let headers = route.operation.produces == .html ? route.extra : Route.pageHeaders
        return page(problemPage(problem, requestID), of: problem, requestID, headers)
    }

    /// The response to a problem of a path without a route, or without one for the method.
    func response(to problem: Problem, requestID: String, target: String) -> RawResponse {
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        let isForPeople = pageFolders.contains { folder in
            guard path.starts(with: folder.utf8) else { return false }
            let next = path.dropFirst(folder.utf8.count).first
            return next == nil || next == UInt8(ascii: "/")
        }
        guard let problemPage, isForPeople else {
            return RawResponse(problem, requestID: requestID)
        }
        return page(problemPage(problem, requestID), of: problem, requestID, Route.pageHeaders)
    }

    private func page(
        _ html: String, of problem: Problem, _ requestID: String, _ headers: HTTPFields
    ) -> RawResponse {
        RawResponse(
            problem.type.status, contentType: Operation.Media.html.rawValue, body: Array(html.utf8),
            requestID: requestID, extra: HTTPFields(Array(problem.headers) + Array(headers)))
    }
}
