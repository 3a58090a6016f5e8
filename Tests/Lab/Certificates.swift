import Foundation

/// A certificate and its key, as files of the host.
struct Certificate: Sendable {
  var certificate: URL
  var key: URL
}

extension Stage {
  /// A certificate that its own key signed, good for ten years: an authority, or what many applications make.
  nonisolated func selfSigned(_ name: String) async throws -> Certificate {
    let made = files(name)
    try await succeed(
      "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=\(name)",
      "-addext", "subjectAltName=DNS:\(name)", "-keyout", made.key.path(), "-out", made.certificate.path())
    return made
  }

  /// A certificate for `name`, an authority itself if `isAuthority`, which `authority` signed and which ends at `end`, a time of the form `20400101000000Z`.
  nonisolated func certificate(
    for name: String, by authority: Certificate, until end: String = "20400101000000Z", isAuthority: Bool = false
  ) async throws -> Certificate {
    let made = files(name)
    let folder = directory.appending(path: "certificates").path()
    let settings = try write(
      """
      [ca]
      default_ca = lab
      [lab]
      new_certs_dir = \(folder)
      database = \(folder)/index
      rand_serial = yes
      default_md = sha256
      policy = any
      x509_extensions = leaf
      unique_subject = no
      [any]
      commonName = supplied
      [leaf]
      subjectAltName = DNS:\(name)
      basicConstraints = CA:\(isAuthority ? "TRUE" : "FALSE")

      """, to: "certificates/ca.conf")
    try write("", to: "certificates/index")
    let request = folder + "/request.pem"
    try await succeed(
      "openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name)", "-keyout", made.key.path(),
      "-out",
      request)
    try await succeed(
      "openssl", "ca", "-batch", "-notext", "-config", settings.path(), "-cert", authority.certificate.path(),
      "-keyfile", authority.key.path(), "-startdate", "20240101000000Z", "-enddate", end, "-in", request,
      "-out",
      made.certificate.path())
    return made
  }

  nonisolated private func files(_ name: String) -> Certificate {
    let folder = directory.appending(path: "certificates")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return Certificate(
      certificate: folder.appending(path: "\(name).crt"), key: folder.appending(path: "\(name).key"))
  }
}
