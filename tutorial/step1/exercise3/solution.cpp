// Gives every Data an origin and leaves it at its address.
#include <iostream>
#include <string>

#include "data.hpp"

class Data_v2 : public moult::Updatable<Data_v2> {
 public:
  explicit Data_v2(int value);
  Data_v2(int value, std::string origin) : value_(value), origin_(std::move(origin)) {}
  void print() const;
  int value() const;

 private:
  int value_;
  std::string origin_ = "localhost";
};

MOULT_UPDATABLE Data_v2::Data_v2(int value) : value_(value) {}
MOULT_UPDATABLE void Data_v2::print() const { std::cout << value_ << " from " << origin_; }
MOULT_UPDATABLE int Data_v2::value() const { return value_; }

static Data_v2 transformer(const Data& data) { return {data.value(), "localhost"}; }

MOULT_UPDATE {
  const moult::ConversionOptions<Data, Data_v2> options{.rebind = moult::Rebind::yes};
  moult::threaded_manager("main").add_update(
      std::make_unique<moult::EagerConversionUpdate<Data, Data_v2>>("Data", transformer, options));
}
