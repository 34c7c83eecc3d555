// file → codec → seal → SHA-256 → file, and back: what the worker does between dump and
// destination, so that it can be timed beside `zstd -3 -T2 | age` and `gzip -6 | age`.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>

#include "base/unique_fd.hpp"
#include "worker/format/backup_pipeline.hpp"
#include "worker/format/stored_reader.hpp"

namespace dbackup::host {
namespace {

constexpr size_t kReadSize = 256 * 1024;

UniqueFd open_file(const std::string& path, int flags) {
  UniqueFd fd{::open(path.c_str(), flags | O_CLOEXEC, 0600)};
  if (!fd) throw_errno(errno, "open \"" + path + "\"");
  return fd;
}

void write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw_errno(errno, "write");
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
}

void copy_file(int fd, ByteSink& sink) {
  std::vector<std::byte> buffer(kReadSize);
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(errno, "read");
    if (count == 0) break;
    sink.write(Bytes{buffer}.first(static_cast<size_t>(count)));
  }
  sink.finish();
}

void copy_reader(PipeReader& reader, int fd) {
  for (Bytes bytes = reader.peek(); !bytes.empty(); bytes = reader.peek()) {
    write_all(fd, bytes);
    reader.consume(bytes.size());
  }
}

// The consumer's thread: what it throws reaches the writer.
std::thread consume(PipeReader& reader, int fd) {
  return std::thread{[&reader, fd] {
    try {
      copy_reader(reader, fd);
    } catch (...) {
      reader.fail(current_cause());
    }
  }};
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

int run(int argc, char** argv) {
  CLI::App app{"Times the worker's pipeline"};
  std::string input;
  std::string output = "/dev/null";
  std::string compression = "ZSTD";
  std::string recipient;
  std::string identity;
  unsigned threads = 0;
  bool restore = false;
  app.add_option("input", input)->required();
  app.add_option("-o,--output", output);
  app.add_option("-c,--compression", compression)
      ->check(CLI::IsMember({"NONE", "GZIP", "BROTLI", "ZSTD"}));
  app.add_option("-r,--recipient", recipient, "age recipient; without it nothing is sealed");
  app.add_option("-i,--identity", identity, "age identity, for a sealed file to restore");
  app.add_option("-t,--threads", threads, "compressing threads; 0: as the worker does");
  app.add_flag("--restore", restore, "the way back");
  CLI11_PARSE(app, argc, argv);

  const auto start = std::chrono::steady_clock::now();
  const UniqueFd in = open_file(input, O_RDONLY);
  const UniqueFd out = open_file(output, O_WRONLY | O_CREAT | O_TRUNC);
  const CancelToken token;
  uint64_t plain = 0;
  uint64_t stored = 0;
  if (restore) {
    StoredFormat format{.sealed = !identity.empty(), .compression = compression_from(compression)};
    if (format.sealed) format.identities.push_back(AgeIdentity::parse(identity));
    RestorePipeline pipeline{format, token};
    std::thread reader = consume(pipeline.output(), out.get());
    copy_file(in.get(), pipeline.input());
    reader.join();
    plain = pipeline.plain_size();
    stored = pipeline.stored_size();
  } else {
    BackupPipelineOptions options{.compression = *compression_from(compression),
                                  .limits = {.threads = threads}};
    if (!recipient.empty()) options.recipients.push_back(AgeRecipient::parse(recipient));
    BackupPipeline pipeline{options, token};
    std::thread reader = consume(pipeline.destination(0), out.get());
    copy_file(in.get(), pipeline.input());
    reader.join();
    plain = pipeline.plain_size();
    stored = pipeline.stored_size();
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::cout << R"({"wall":)" << wall.count() << R"(,"cpu":)"
            << seconds(usage.ru_utime) + seconds(usage.ru_stime) << R"(,"plainBytes":)" << plain
            << R"(,"storedBytes":)" << stored << R"(,"peakRssKiB":)" << usage.ru_maxrss << "}\n";
  return 0;
}

}  // namespace
}  // namespace dbackup::host

int main(int argc, char** argv) {
  try {
    return dbackup::host::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "pipeline_bench: " << error.what() << "\n";
    return 1;
  }
}
