extension String {
  /// A container image's name without registry and tag or digest.
  public var withoutTag: String {
    let parts = withoutDigestAndTag.split(separator: "/")
    let isRegistry = parts.count > 1 && (parts[0].contains(".") || parts[0].contains(":") || parts[0] == "localhost")
    return (isRegistry ? parts.dropFirst() : parts[...]).joined(separator: "/")
  }

  /// A container image's name with its registry, without tag or digest.
  public var withoutDigestAndTag: String {
    let name = prefix { $0 != "@" }
    let slash = name.lastIndex(of: "/") ?? name.startIndex
    return String(name[..<(name[slash...].firstIndex(of: ":") ?? name.endIndex)])
  }
}
