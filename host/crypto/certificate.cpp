#include "crypto/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "base/id.hpp"
#include "base/error.hpp"
#include "crypto/openssl.hpp"

namespace dbackup::host {
namespace {

using openssl::Bio;
using openssl::Deleter;
using openssl::X509Ptr;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<&X509_EXTENSION_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Deleter<&BN_free>>;

[[noreturn]] void bad(const char* field, const std::string& what) {
  throw Error(ErrorCode::InvalidArgument, "\"" + std::string{field} + "\" " + what);
}

Bio memory_bio(std::string_view text) {
  Bio bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  if (!bio) openssl::throw_failure("cannot read from memory");
  return bio;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

X509Ptr read_certificate(const std::string& pem) {
  const Bio bio = memory_bio(pem);
  X509Ptr certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
  ERR_clear_error();
  if (!certificate) bad("certificate", "must be an X.509 certificate in PEM form");
  return certificate;
}

/// A key with a passphrase must not make the library ask for it at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

openssl::Pkey read_key(const SecretString& pem) {
  const Bio bio = memory_bio(pem.reveal());
  openssl::Pkey key{PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr)};
  ERR_clear_error();
  if (!key) bad("privateKey", "must be a private key in PEM form, without a passphrase");
  return key;
}

std::string name_text(const X509_NAME* name) {
  const Bio bio{BIO_new(BIO_s_mem())};
  X509_NAME_print_ex(bio.get(), name, 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  return text_of(bio.get());
}

TimeMs time_of(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) openssl::throw_failure("cannot read a certificate's dates");
  return static_cast<TimeMs>(::timegm(&utc)) * 1000;
}

std::string serial_of(const X509* certificate) {
  const BigNumber number{ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr)};
  char* hex = number ? BN_bn2hex(number.get()) : nullptr;
  std::string out{hex != nullptr ? hex : ""};
  OPENSSL_free(hex);
  return out;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  openssl::check(X509_digest(certificate, EVP_sha256(), digest.data(), &size),
                 "cannot hash a certificate");
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (i > 0) out += ':';
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

bool is_address(const std::string& name) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, name.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  const Extension extension{X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str())};
  if (!extension) openssl::throw_failure("cannot make a certificate's extension");
  openssl::check(X509_add_ext(certificate, extension.get(), -1),
                 "cannot add a certificate's extension");
}

}  // namespace

CertificateInfo inspect_certificate(const std::string& certificate_pem) {
  const X509Ptr certificate = read_certificate(certificate_pem);
  CertificateInfo info{.issuer = name_text(X509_get_issuer_name(certificate.get())),
                       .subject = name_text(X509_get_subject_name(certificate.get())),
                       .valid_from = time_of(X509_get0_notBefore(certificate.get())),
                       .valid_to = time_of(X509_get0_notAfter(certificate.get())),
                       .serial_number = serial_of(certificate.get()),
                       .fingerprint = fingerprint_of(certificate.get())};
  info.is_self_signed = X509_self_signed(certificate.get(), 1) == 1;
  ERR_clear_error();
  return info;
}

void check_certificate_pair(const CertificatePair& pair, TimeMs now) {
  const X509Ptr certificate = read_certificate(pair.certificate_pem);
  const openssl::Pkey key = read_key(pair.key_pem);
  const bool fits = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) bad("privateKey", "does not belong to the certificate");
  const TimeMs end = time_of(X509_get0_notAfter(certificate.get()));
  if (end <= now) bad("certificate", "has expired on " + format_iso8601(end));
}

CertificatePair make_self_signed(const std::vector<std::string>& names, TimeMs now, int days) {
  const openssl::Pkey key{EVP_EC_gen("P-256")};
  const X509Ptr certificate{X509_new()};
  if (!key || !certificate) openssl::throw_failure("cannot make a key");
  X509* const x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  const std::string serial_bytes = random_bytes(16);
  const BigNumber serial{BN_bin2bn(openssl::u8(serial_bytes.data()), 16, nullptr)};
  BN_clear_bit(serial.get(), 127);  // a serial number is positive
  BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(x509));
  const std::time_t start = static_cast<std::time_t>(now / 1000) - 24 * 3600;
  ASN1_TIME_set(X509_getm_notBefore(x509), start);
  ASN1_TIME_set(X509_getm_notAfter(x509), start + static_cast<std::time_t>(days) * 24 * 3600);
  X509_NAME* const subject = X509_get_subject_name(x509);
  const std::string common = names.front().substr(0, 64);  // X.520's bound
  openssl::check(
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, openssl::u8(common.data()),
                                 static_cast<int>(common.size()), -1, 0),
      "cannot name a certificate");
  X509_set_issuer_name(x509, subject);
  X509_set_pubkey(x509, key.get());
  std::string alternatives;
  for (const std::string& name : names) {
    alternatives +=
        (alternatives.empty() ? "" : ",") + std::string{is_address(name) ? "IP:" : "DNS:"} + name;
  }
  add_extension(x509, NID_subject_alt_name, alternatives);
  add_extension(x509, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(x509, NID_ext_key_usage, "serverAuth");
  if (X509_sign(x509, key.get(), EVP_sha256()) == 0)
    openssl::throw_failure("cannot sign a certificate");

  const Bio pem{BIO_new(BIO_s_mem())};
  const Bio key_pem{BIO_new(BIO_s_secmem())};
  openssl::check(PEM_write_bio_X509(pem.get(), x509), "cannot write a certificate");
  openssl::check(PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0,
                                               nullptr, nullptr),
                 "cannot write a key");
  return {.certificate_pem = text_of(pem.get()), .key_pem = SecretString{text_of(key_pem.get())}};
}

}  // namespace dbackup::host
