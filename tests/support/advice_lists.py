"""Forty class lists as people write them, half of them flawed. They were written before the checks that they judge.

Each flawed list says which kind of advice it should get, and about which labels.
"""

LONG = (
    "a person who is standing at a counter in a shop and seems to be paying with a card while another person behind the "
    "counter looks at a screen and a third one waits in the queue with a full basket of groceries that holds bread and milk "
    "and apples and a bunch of flowers wrapped in paper and a newspaper folded in half on the very top of everything"
)

FLAWED: list[tuple[list[str], str, set[str]]] = [
    (["crane", "heron", "stork"], "senses", {"crane"}),
    (["boxer", "poodle", "beagle"], "senses", {"boxer"}),
    (["kite", "eagle", "owl"], "senses", {"kite"}),
    (["nail", "screw", "hammer"], "senses", {"nail"}),
    (["mouse", "keyboard", "printer"], "senses", {"mouse"}),
    (["bat", "ball", "glove"], "senses", {"bat"}),
    (["dog with leash", "dog without leash"], "negation", {"dog without leash"}),
    (["wearing a helmet", "not wearing a helmet"], "negation", {"not wearing a helmet"}),
    (["person", "no person"], "negation", {"no person"}),
    (["one dog", "two dogs", "three dogs"], "counting", {"one dog", "two dogs", "three dogs"}),
    (["empty shelf", "5 bottles", "more than 10 bottles"], "counting", {"5 bottles", "more than 10 bottles"}),
    (["cup left of the plate", "cup right of the plate"], "position", {"cup left of the plate", "cup right of the plate"}),
    (["cat on top of a box", "cat under a box"], "position", {"cat on top of a box", "cat under a box"}),
    (["hund", "katze", "vogel"], "language", {"hund", "katze", "vogel"}),
    (["voiture", "camion", "vélo"], "language", {"voiture", "camion", "vélo"}),
    (["собака", "кошка"], "language", {"собака", "кошка"}),
    (["dog", "poodle", "cat"], "contains", {"dog", "poodle"}),
    (["vehicle", "car", "truck"], "contains", {"vehicle", "car", "truck"}),
    (["sofa", "couch", "armchair"], "synonym", {"sofa", "couch"}),
    ([LONG, "an empty shop"], "too long", {LONG}),
]

FINE: list[list[str]] = [
    ["cat", "dog", "rabbit"],
    ["beach", "mountain", "forest", "city street"],
    ["invoice", "receipt", "contract"],
    ["screenshot", "photo", "drawing", "meme"],
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    ["apple", "banana", "orange", "grape"],
    ["rose", "tulip", "sunflower", "daisy"],
    ["Tesla Model 3", "BMW i3", "Nissan Leaf"],
    ["wedding", "birthday party", "funeral"],
    ["clean", "dirty"],
    ["healthy leaf", "rust", "powdery mildew"],
    ["labrador retriever", "german shepherd", "dachshund", "chihuahua"],
    ["living room", "kitchen", "bathroom", "bedroom"],
    ["Eiffel Tower", "Big Ben", "Taj Mahal"],
    ["cracked screen", "intact screen"],
    ["Pikachu", "Charizard", "Bulbasaur"],
    ["t-shirt", "jeans", "sneakers", "dress"],
    ["pizza", "sushi", "tacos", "ramen"],
    ["Monet", "Van Gogh", "Picasso"],
]
