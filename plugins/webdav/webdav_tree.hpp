#pragma once

#include <common/remote_storage.hpp>

#include "session.hpp"

namespace dbackup::webdav {

/// The resources below a collection. A put under way is ".dbackup/tmp/<token>.<random>/content": in
/// a collection of its own, so that what the server writes beside it, and leaves there when it is
/// killed, goes with it.
class WebdavTree final : public plugins::RemoteTree {
 public:
  /// Takes the connection of an earlier operation out of `idle`, or opens one, and puts it there at
  /// the end: operations on one instance may be nested.
  WebdavTree(const Call& call, const Login& login, std::unique_ptr<Link>& idle,
             const std::string& prefix);
  ~WebdavTree() override { idle_ = std::move(link_); }

  void check_root() override;
  std::optional<plugins::RemoteEntry> look(const std::string& path) override;
  bool each_entry(const std::string& folder,
                  const std::function<void(const plugins::RemoteEntry&)>& found) override;
  void make_folder(const std::string& path) override;
  /// Never: DELETE takes what is inside, and something may have just come in.
  bool remove_empty_folder(const std::string&) override { return false; }
  bool remove_file(const std::string& path) override;
  plugins::RemoteEntry upload(const std::string& temporary, Reader& in, uint64_t& sent) override;
  void commit(const std::string& temporary, const std::string& path, bool replace) override;
  bool discard(const std::string& temporary) override;
  void committed(const std::string& temporary) override { discard(temporary); }
  uint64_t download(const std::string& path, const plugins::RemotePart& part, Writer& out) override;
  std::string shown(const std::string& path) const override;

 private:
  std::string url(const std::string& path) const;
  std::string folder_url(const std::string& path) const;
  Answer find_properties(const std::string& url, const char* depth);
  long make(const std::string& path);
  void make_root();
  Error other_paths() const;

  const Login& login_;
  std::unique_ptr<Link>& idle_;
  std::unique_ptr<Link> link_;
  Session session_;
  std::string prefix_;  ///< without slashes at its ends
};

}  // namespace dbackup::webdav
