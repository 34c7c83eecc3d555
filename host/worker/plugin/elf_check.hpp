#pragma once

#include <string>

namespace dbackup::host {

/// Makes sure that `path` is a whole shared library for this machine, before dlopen() sees it: a
/// truncated one would end the process by SIGBUS, one for another machine reads "No such file".
/// Throws Error{FailedPrecondition} with the reason, {NotFound} when there is no such file.
void check_elf(const std::string& path);

}  // namespace dbackup::host
