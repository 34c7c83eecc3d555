#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "model/compression.hpp"

namespace dbackup::host {

/// What a component of a path may have at most, in bytes.
inline constexpr size_t kMaxPathComponentBytes = 255;
/// What a storage plugin may add to a name while it writes: dots, the token (a UUID), a suffix.
inline constexpr size_t kTemporaryNameBytes = 48;

inline constexpr std::string_view kSidecarSuffix = ".meta.json";
inline constexpr std::string_view kSealedSuffix = ".age";

/// An encoded stem of at most so many bytes is not cut, with every counter and ending that is used.
inline constexpr size_t kMostStemBytes =
    kMaxPathComponentBytes - kSidecarSuffix.size() - kTemporaryNameBytes - 40;

/// `text` as one component of a path: `/ \ %`, control characters, a leading dot, a dot after a dot,
/// a trailing dot or blank become %XX. Other UTF-8 stays as it is.
std::string encode_path_component(std::string_view text);
/// The reverse; nullopt on a malformed escape.
std::optional<std::string> decode_path_component(std::string_view component);

/// The folder of a job. A name whose encoded form exceeds 255 bytes (1–100 characters may) is cut
/// between characters and ends in `~` and 16 digits of its SHA-256, so different jobs keep
/// different folders.
std::string job_folder(std::string_view job_name);

/// A stored file's name taken apart: `<stem>.<extension>[.zst|.gz|.br][.age]`.
struct BackupName {
  std::string stem;       // the expanded pattern, counter included, not encoded
  std::string extension;  // without its dot: "dump", "sql", …
  Compression compression = Compression::None;
  bool sealed = false;

  /// The name as stored. The stem is encoded, and cut between characters so that the name, its
  /// sidecar's and the temporary ones stay within 255 bytes.
  std::string file_name() const;
  /// The same backup under the n-th name: `<stem>-<n>.<extension>…`; n = 1 is the name itself. The
  /// counter survives when a long stem is cut.
  std::string file_name(unsigned n) const;
};

/// nullopt when `file_name` has no stem. Unknown endings belong to the extension and the stem.
std::optional<BackupName> parse_backup_name(std::string_view file_name);

/// `<folder of the job>/<file name>`.
std::string backup_path(std::string_view job_name, const BackupName& name, unsigned n = 1);

/// True for archives of several databases: `<stem>.tar`, sealed or not.
bool is_archive_path(std::string_view path);

/// `<path>.meta.json`.
std::string sidecar_path(std::string_view path);
/// True for the names of sidecars, which are no backups.
bool is_sidecar_path(std::string_view path) noexcept;

/// The last component of a path.
std::string_view base_name(std::string_view path) noexcept;
/// Without `.age` at its end: what an unsealed download is called.
std::string_view without_sealed_suffix(std::string_view name) noexcept;
/// Without `.age`, then without the suffix of its compression: what a plain download is called.
std::string_view without_codec_suffixes(std::string_view name) noexcept;

}  // namespace dbackup::host
