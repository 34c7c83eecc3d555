#include "worker/plugin/elf_check.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace dbackup::host {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::FailedPrecondition, "cannot load plugin \"" + path + "\": " + why, {},
              "bad_plugin");
}

bool read_at(int fd, void* buffer, size_t size, uint64_t offset) {
  auto* at = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t n = ::pread(fd, at, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<size_t>(n);
    offset += static_cast<uint64_t>(n);
  }
  return true;
}

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_386:
      return "x86 (32 bit)";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "ARM (32 bit)";
    case EM_AARCH64:
      return "AArch64";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "PowerPC 64";
    case EM_S390:
      return "S/390";
    default:
      return "machine " + std::to_string(machine);
  }
}

/// What this program itself was built for: a plugin must be the same.
Elf64_Ehdr own_header() {
  Elf64_Ehdr header{};
  const UniqueFd self{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
  if (!self || !read_at(self.get(), &header, sizeof header, 0)) {
    throw_errno(errno, "cannot read the program's own header");
  }
  return header;
}

}  // namespace

void check_elf(const std::string& path) {
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!file) throw_errno(errno, "cannot open plugin \"" + path + "\"");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw_errno(errno, "cannot read plugin \"" + path + "\"");
  if (!S_ISREG(info.st_mode)) refuse(path, "it is not a regular file");
  const auto size = static_cast<uint64_t>(info.st_size);

  Elf64_Ehdr header{};
  if (size < EI_NIDENT || !read_at(file.get(), &header, EI_NIDENT, 0) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    refuse(path, "it is not a shared library (no ELF header)");
  }
  const Elf64_Ehdr own = own_header();
  if (header.e_ident[EI_CLASS] != own.e_ident[EI_CLASS]) {
    refuse(path, header.e_ident[EI_CLASS] == ELFCLASS32
                     ? "it was built for a 32-bit machine, this program for a 64-bit one"
                     : "it was built for another word size than this program");
  }
  if (size < sizeof header || !read_at(file.get(), &header, sizeof header, 0)) {
    refuse(path, "the file is truncated");
  }
  if (header.e_ident[EI_DATA] != own.e_ident[EI_DATA]) {
    refuse(path, "it was built for the other byte order");
  }
  if (header.e_machine != own.e_machine) {
    refuse(path, "it was built for " + machine_name(header.e_machine) + ", this program for " +
                     machine_name(own.e_machine));
  }
  if (header.e_type != ET_DYN) refuse(path, "it is not a shared library");

  const uint64_t sections_end =
      header.e_shoff + uint64_t{header.e_shnum} * uint64_t{header.e_shentsize};
  if (header.e_shoff > size || sections_end > size || header.e_phoff > size) {
    refuse(path, "the file is truncated");
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr)) refuse(path, "its program headers are malformed");
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!read_at(file.get(), segments.data(), segments.size() * sizeof(Elf64_Phdr), header.e_phoff)) {
    refuse(path, "the file is truncated");
  }
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD &&
        (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)) {
      refuse(path, "the file is truncated");
    }
  }
}

}  // namespace dbackup::host
