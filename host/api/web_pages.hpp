#pragma once

#include <string_view>

namespace dbackup::host {

/// The files of host/web, compiled in.
extern const std::string_view kReferenceHtml, kReferenceScript, kReferenceMissingHtml;

}  // namespace dbackup::host
