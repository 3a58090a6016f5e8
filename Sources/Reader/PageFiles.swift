import Flow

/// Pages that have been linted before: each is read when it is first named, and its steps when they are first shown; what
/// they take in is read with the first of them.
final class PageFiles: Sendable {
  private let files: [PageReader.Kind: [String: (path: String, text: String)]]
  private let language: Language
  private let taken: Later<(parts: [String: Part], recipes: Recipes)>

  init(_ files: [(path: String, text: String)], _ language: Language) {
    self.language = language
    self.files = files.reduce(into: [:]) { kinds, file in
      if let (kind, id) = PageReader.Kind.page(file.path) { kinds[kind, default: [:]][id] = file }
    }
    taken = Later { (Reader.parts(of: files), Recipes(files, Problems())) }
  }

  func pages(_ kind: PageReader.Kind) -> Pages {
    let files = files[kind] ?? [:]
    return Pages(files.keys) { [self] id in files[id].flatMap { page(kind, id, $0) } }
  }

  private func page(_ kind: PageReader.Kind, _ id: String, _ file: (path: String, text: String)) -> Page? {
    @Sendable func reader(_ parts: [String: Part] = [:], _ recipes: Recipes = Recipes()) -> PageReader {
      PageReader(
        file: file.path, kind: kind, id: id, text: file.text, parts: parts, recipes: recipes, language,
        problems: Problems())
    }
    var draft = Draft(isLinted: false)
    return reader().page(into: &draft) { [taken] in
      let (parts, recipes) = taken.wrappedValue
      var draft = Draft(isLinted: false)
      var reader = reader(parts, recipes)
      return reader.body(into: &draft)
    }
  }
}
