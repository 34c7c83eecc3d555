#pragma once

#include <common/remote_storage.hpp>

#include "session.hpp"

namespace dbackup::ftp {

/// The files of one account, below `prefix`: absolute, or relative to the folder the login begins
/// in. The prefix is made by the first put.
class FtpTree final : public plugins::RemoteTree {
 public:
  /// Takes the connection of an earlier operation out of `idle`, or opens one, and puts it there at
  /// the end: operations on one instance may be nested.
  FtpTree(const Call& call, const Login& login, std::unique_ptr<Link>& idle,
          const std::string& prefix);
  ~FtpTree() override { idle_ = std::move(link_); }

  bool lists_facts() const noexcept { return session_.lists_facts(); }

  void check_root() override;
  std::optional<plugins::RemoteEntry> look(const std::string& path) override;
  bool each_entry(const std::string& folder,
                  const std::function<void(const plugins::RemoteEntry&)>& found) override;
  void make_folder(const std::string& path) override;
  bool remove_empty_folder(const std::string& path) override;
  bool remove_file(const std::string& path) override;
  plugins::RemoteEntry upload(const std::string& temporary, Reader& in, uint64_t& sent) override;
  void commit(const std::string& temporary, const std::string& path, bool replace) override;
  bool discard(const std::string& temporary) override { return remove_file(temporary); }
  uint64_t download(const std::string& path, const plugins::RemotePart& part, Writer& out) override;
  std::string shown(const std::string& path) const override;

 private:
  std::string remote(const std::string& path) const;
  std::optional<plugins::RemoteEntry> look_at(const std::string& absolute);
  bool is_folder(const std::string& absolute);
  void make_whole(const std::string& absolute);

  const Login& login_;
  std::unique_ptr<Link>& idle_;
  std::unique_ptr<Link> link_;
  Session session_;
  std::string root_;  ///< absolute, without a slash at the end; "" is "/"
};

}  // namespace dbackup::ftp
