// A library: "buy NUMBER", "lend NUMBER", "show" for all. A shelf holds the books, and a catalogue leads to them.
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "book.hpp"

MOULT_UPDATABLE Book::Book(int number) : number_(number) {}
MOULT_UPDATABLE int Book::number() const { return number_; }
MOULT_UPDATABLE void Book::lend() {}
MOULT_UPDATABLE void Book::show() const { std::cout << "book " << number_ << std::endl; }

int main() {
  const moult::Listener listener;
  std::vector<std::unique_ptr<Book>> shelf;
  std::map<int, Book*> catalogue;
  int number = 0;
  for (std::string order; std::cin >> order;) {
    if (order == "buy" && std::cin >> number)
      catalogue[number] = shelf.emplace_back(std::make_unique<Book>(number)).get();
    if (order == "lend" && std::cin >> number) catalogue.at(number)->lend();
    if (order == "show")
      for (const std::unique_ptr<Book>& book : shelf) book->show();
  }
}
