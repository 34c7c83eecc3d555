#include <fcntl.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/error.hpp"
#include "base/secret_string.hpp"
#include "base/unique_fd.hpp"
#include "cli/command.hpp"
#include "crypto/age_keys.hpp"
#include "model/compression.hpp"
#include "worker/format/stored_reader.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kAgeMagic = "age-encryption.org/v1";
constexpr size_t kBlock = 256 * 1024;

struct DecryptArguments {
  std::string identity, output, file;
  bool decompress = false;
};

class FdWriter final : public ByteSink {
 public:
  explicit FdWriter(int fd) : fd_{fd} {}
  void write(Bytes bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw_errno(errno, "cannot write the output");
      bytes = bytes.subspan(static_cast<size_t>(n));
    }
  }
  void finish() override {}
  void abort(const Cause&) noexcept override {}

 private:
  int fd_;
};

size_t read_block(int fd, std::vector<std::byte>& block, size_t filled) {
  while (filled < block.size()) {
    const ssize_t n = ::read(fd, block.data() + filled, block.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno(errno, "cannot read the backup");
    if (n == 0) break;
    filled += static_cast<size_t>(n);
  }
  return filled;
}

UniqueFd open_input(const std::string& file) {
  if (file == "-") return UniqueFd{::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)};
  UniqueFd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) throw_errno(errno, "cannot open \"" + file + "\"");
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return fd;
}

std::vector<AgeIdentity> read_identities(const std::string& file) {
  if (file.empty()) return {};
  const UniqueFd fd = open_input(file);
  std::vector<std::byte> block(64 * 1024);
  const size_t size = read_block(fd.get(), block, 0);
  const SecretString text{std::string(reinterpret_cast<const char*>(block.data()), size)};
  std::fill(block.begin(), block.end(), std::byte{});
  return parse_age_identities(text.reveal());
}

/// Brotli has no magic: only the name tells. Everything else is told by its first bytes.
std::optional<Compression> compression_of(const DecryptArguments& arguments) {
  if (!arguments.decompress) return Compression::None;
  std::string name = arguments.file;
  if (name.ends_with(".age")) name.resize(name.size() - 4);
  if (name.ends_with(compression_suffix(Compression::Brotli))) return Compression::Brotli;
  return std::nullopt;
}

void open_stream(const DecryptArguments& arguments, int output) {
  const UniqueFd input = open_input(arguments.file);
  std::vector<std::byte> block(kBlock);
  size_t size = read_block(input.get(), block, 0);
  const std::string_view head{reinterpret_cast<const char*>(block.data()), std::min(size, kAgeMagic.size())};
  StoredFormat format{.sealed = head == kAgeMagic, .compression = compression_of(arguments)};
  if (format.sealed) {
    if (arguments.identity.empty()) {
      throw Error(ErrorCode::InvalidArgument, "\"" + arguments.file + "\" is sealed: give the identity file with --identity");
    }
    format.identities = read_identities(arguments.identity);
  } else if (!arguments.identity.empty()) {
    // Damage in the very first bytes must not turn a sealed file into one that is copied as it is.
    throw Error(ErrorCode::DataLoss, "\"" + arguments.file +
                                         "\" is not sealed, or its first bytes are damaged; hint: leave --identity out "
                                         "for a file that was stored unsealed");
  }
  const CancelToken token;
  const auto chain = make_stored_chain(format, token, std::make_unique<FdWriter>(output));
  while (size > 0) {
    chain->write(Bytes{block}.first(size));
    size = read_block(input.get(), block, 0);
  }
  chain->finish();
}

// Beside the target, and renamed only when everything was authentic: a damaged backup leaves no file that
// could be taken for a good one.
int decrypt_to_file(const DecryptArguments& arguments) {
  const std::string partial = arguments.output + ".partial";
  UniqueFd output{::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!output) throw_errno(errno, "cannot write \"" + partial + "\"");
  try {
    open_stream(arguments, output.get());
    if (::fsync(output.get()) != 0) throw_errno(errno, "cannot write \"" + partial + "\"");
    if (::rename(partial.c_str(), arguments.output.c_str()) != 0) throw_errno(errno, "cannot write \"" + arguments.output + "\"");
  } catch (...) {
    ::unlink(partial.c_str());
    throw;
  }
  return kExitOk;
}

int decrypt(const DecryptArguments& arguments) {
  try {
    if (!arguments.output.empty() && arguments.output != "-") return decrypt_to_file(arguments);
    open_stream(arguments, STDOUT_FILENO);
    return kExitOk;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::InvalidArgument) throw;
    std::fprintf(stderr, "dbackup: %s\n", error.what());
    if (arguments.output.empty() || arguments.output == "-") {
      std::fprintf(stderr, "Do not use what was written to standard output: it is not complete.\n");
    }
    return kExitFailure;
  }
}

}  // namespace

void add_decrypt_command(CLI::App& program, CommandBody& chosen) {
  auto arguments = std::make_shared<DecryptArguments>();
  CLI::App* decrypt_command = program.add_subcommand(
      "decrypt", "open a backup file without a server; exit code 1 and no output file on any damage");
  decrypt_command->add_option("--identity", arguments->identity, "file with AGE-SECRET-KEY-1… (identity.txt of the recovery kit)");
  decrypt_command->add_flag("--decompress", arguments->decompress, "decompress too: zstd and gzip by content, brotli by name");
  decrypt_command->add_option("-o,--output", arguments->output, "file to write, in place of standard output");
  decrypt_command->add_option("file", arguments->file, "the stored file, or - for standard input")->required();
  decrypt_command->callback([=, &chosen] { chosen = [=] { return decrypt(*arguments); }; });
}

}  // namespace dbackup::host
