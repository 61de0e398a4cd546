extension FieldBound {
    /// What is wrong with a node; also nil for a node of another type, which decoding refuses.
    func refusal(of node: JSONNode) -> String? {
        switch node {
        case .array(let elements): return refusal(ofCount: elements.count)
        case .integer(let value): return refusal(of: value)
        case .decimal(let text):
            do {
                return refusal(of: Int(exactly: try JSONNumber.integer(text)))
            } catch {
                return error == .range ? refusal(of: nil) : nil
            }
        case .null, .bool, .string, .object: return nil
        }
    }
}
