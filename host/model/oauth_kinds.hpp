#pragma once

#include <string_view>

namespace dbackup::host {

/// The kinds of adapters whose accounts are reached by OAuth. The published API names them in paths
/// of their own; nothing else does.
struct OAuthKind {
  std::string_view id;
  std::string_view name;
};
inline constexpr OAuthKind kOAuthKinds[] = {
    {"dropbox", "Dropbox"}, {"google-drive", "Google Drive"}, {"onedrive", "OneDrive"}};

}  // namespace dbackup::host
