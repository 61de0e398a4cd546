import HTTPTypes

/// Sends up to 200 letters, each as ``SendLetter`` does. Each is answered by itself, in the order of the request: one
/// that is refused holds up none of the others.
package enum SendLetterBatch: Endpoint {
    package static let operation = Operation(
        .post, "/v1/letter-batches", "Sends letters, each once.", access: .roles(.operator, .service))

    package struct Body: Codable, Sendable, BoundedFields {
        /// A malformed one makes the whole request invalid.
        package var letters: [SendLetter.Body]

        package static let bounds: KeyValuePairs<String, FieldBound> = ["letters": .elements(1...200)]

        package init(letters: [SendLetter.Body]) {
            self.letters = letters
        }
    }

    package struct Response: Codable, Sendable {
        /// One for each letter.
        package var answers: [Answer]

        package init(answers: [Answer]) {
            self.answers = answers
        }
    }

    /// What ``SendLetter`` would have answered: a letter, or a problem whose pointers are of the batch.
    package struct Answer: Codable, Sendable {
        /// 201 for a new letter, 200 for one that existed, or the status of the problem.
        package var status: Int
        package var letter: Letter?
        package var problem: ProblemDocument?

        package init(_ letter: Letter, isNew: Bool) {
            status = isNew ? 201 : 200
            self.letter = letter
        }

        package init(_ problem: Problem) {
            status = problem.type.status.code
            self.problem = ProblemDocument(problem, requestID: nil)
        }
    }
}
