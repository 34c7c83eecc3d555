#pragma once

namespace dbackup::host {

/// The program's version, set once in the top CMakeLists.txt.
inline constexpr const char* kProgramVersion = DBACKUP_VERSION;

}  // namespace dbackup::host
