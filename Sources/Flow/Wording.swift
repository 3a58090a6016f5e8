public import Model

/// Words for a person, which may differ by the proxy that the case is about.
public struct Wording: Sendable, Equatable {
  public struct Form: Sendable, Equatable {
    /// Kinds of proxies; nil: any that no other form has, and one that is not known.
    public let kinds: [String]?
    /// The first one that the facts can fill in is said.
    public let texts: [Template]
    public init(kinds: [String]?, texts: [Template]) {
      self.kinds = kinds
      self.texts = texts
    }
  }

  public let forms: [Form]

  public init(forms: [Form]) { self.forms = forms }
  public init(_ text: Template) { forms = [Form(kinds: nil, texts: [text])] }

  /// Those for the proxy; empty if nothing is to be said of that one.
  private func texts(_ facts: Facts) -> [Template] {
    let kind = facts[.proxyKind]
    let form = forms.first { form in kind.flatMap { form.kinds?.contains($0) } ?? false }
    return (form ?? forms.first { $0.kinds == nil })?.texts ?? []
  }

  /// As a person reads it; nil if there is nothing to say.
  public func prose(_ facts: Facts) -> String? { texts(facts).firstMapped { $0.prose(facts) } }

  /// As a command; nil if there is none.
  public func shell(_ facts: Facts) -> String? { texts(facts).firstMapped { try? $0.command(facts) } }

  /// Every text, as it is written.
  public var sources: [String] { forms.flatMap(\.texts).map(\.source) }
}
