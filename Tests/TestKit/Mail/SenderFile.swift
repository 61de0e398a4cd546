import Foundation

/// Who sends the mails of a test.
package enum SenderFile {
    package static let content = """
        {"name": "Club de l’économie numérique", "address": "12 rue de la Paix, 75002 Paris",
         "email": "contact@club.example", "siren": "732829320", "rna": "W751234567",
         "legalNotice": "https://club.example/mentions-legales"}
        """

    /// - Returns: the file's path.
    package static func write(in folder: String) throws -> String {
        let path = "\(folder)/sender.json"
        try Data(content.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }
}
