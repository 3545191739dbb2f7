// The same change, from somebody who thought that the library had two books: it fails at the third, and all stay as
// they were.
#include <iostream>
#include <stdexcept>

#include "book.hpp"

class Book_v2 : public moult::Updatable<Book_v2> {
 public:
  explicit Book_v2(int number);
  int number() const;
  void lend();
  void show() const;

 private:
  int number_;
  int times_lent_ = 0;
};

MOULT_UPDATABLE Book_v2::Book_v2(int number) : number_(number) {}
MOULT_UPDATABLE int Book_v2::number() const { return number_; }
MOULT_UPDATABLE void Book_v2::lend() { ++times_lent_; }
MOULT_UPDATABLE void Book_v2::show() const { std::cout << "book " << number_ << std::endl; }

static Book_v2 transformer(const Book& book) {
  if (book.number() > 2) throw std::out_of_range("no such book");
  return Book_v2(book.number());
}

MOULT_UPDATE {
  moult::threaded_manager("main").add_update(std::make_unique<moult::EagerConversionUpdate<Book, Book_v2>>(
      "books", transformer, moult::ConversionOptions<Book, Book_v2>{.rebind = moult::Rebind::yes}));
}
