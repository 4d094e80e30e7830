"""English words that people write into prompts anyway, and that the models know well.

A trigger word must not be one of them: it would pull everything with that word towards the finetune.
"""

_PEOPLE = """
man men woman women boy boys girl girls child children kid kids baby babies person people human humans guy lady
gentleman adult teen teenager toddler elder mother father mom dad mum parent parents son daughter brother sister twin
twins family grandmother grandfather grandma grandpa aunt uncle cousin wife husband bride groom couple friend friends
king queen prince princess knight wizard witch warrior soldier pirate ninja samurai cowboy viking hero villain
superhero angel demon devil vampire zombie ghost monster alien robot android cyborg fairy elf dwarf giant mermaid
doctor nurse teacher student scientist engineer chef cook waiter farmer sailor pilot astronaut driver police officer
firefighter detective artist painter singer dancer musician actor actress model player athlete boxer runner judge
lawyer priest monk nun clown magician mechanic worker builder baker barber butcher gardener hunter fisherman
character figure mascot avatar portrait face head hair eye eyes ear ears nose mouth lips lip teeth tooth tongue chin
cheek neck shoulder arm arms elbow hand hands finger fingers thumb chest back waist hip leg legs knee foot feet toe
skin beard moustache mustache smile body bone heart skull skeleton muscle tail wing wings horn horns claw paw fur
feather scale
"""

_ANIMALS = """
animal animals pet pets cat cats kitten kitty dog dogs puppy hound wolf fox bear panda koala lion tiger leopard
cheetah panther jaguar lynx horse pony donkey zebra unicorn cow bull ox calf sheep lamb goat pig piglet deer moose elk
reindeer camel llama alpaca giraffe elephant rhino hippo monkey ape gorilla chimpanzee rabbit bunny hare hamster mouse
mice rat squirrel beaver otter badger hedgehog raccoon skunk bat kangaroo sloth bird birds chicken rooster hen chick
duck goose swan turkey eagle hawk falcon owl crow raven parrot pigeon dove sparrow robin penguin flamingo peacock
ostrich fish shark whale dolphin seal octopus squid crab lobster shrimp jellyfish starfish salmon tuna goldfish frog
toad turtle tortoise lizard gecko snake crocodile alligator dinosaur dragon phoenix insect bug bee wasp ant butterfly
moth spider beetle ladybug dragonfly fly mosquito worm snail corgi poodle husky terrier bulldog labrador beagle pug
"""

_COLOURS = """
color colour colors colours red orange yellow green blue purple violet pink brown black white gray grey gold golden
silver bronze copper cyan magenta teal turquoise navy maroon crimson scarlet beige ivory cream tan olive lime mint
lavender lilac indigo amber ruby emerald sapphire pearl coral peach rose rainbow pastel neon dark light bright pale
vivid colorful colourful monochrome sepia
"""

_THINGS = """
thing object item product brand logo sign symbol icon label box bag backpack purse wallet bottle can cup mug glass
glasses sunglasses bowl plate dish fork knife spoon pot pan kettle jar basket bucket tray candle lamp lantern torch
bulb clock watch phone smartphone tablet computer laptop keyboard screen monitor television tv radio camera lens
speaker headphones microphone cable battery machine engine motor wheel tire gear tool hammer saw drill screwdriver
wrench nail screw rope chain lock key door window wall floor ceiling roof stairs ladder table desk chair sofa couch
bench bed pillow blanket curtain carpet rug mirror shelf cabinet drawer closet book books notebook magazine newspaper
paper pen pencil brush paint canvas frame picture photo photograph image poster postcard card letter envelope stamp
map flag balloon gift present toy doll teddy puppet puzzle ball game dice chess cards kite bike bicycle motorcycle
motorbike scooter car cars truck van bus taxi train tram subway plane airplane aeroplane jet helicopter rocket
spaceship drone boat ship yacht sailboat submarine canoe tractor sword shield bow arrow spear axe dagger gun rifle
pistol cannon armor armour helmet crown ring necklace bracelet earring jewel jewelry diamond crystal gem coin coins
money cash treasure hat cap hood scarf gloves glove coat jacket hoodie sweater shirt tshirt blouse dress skirt suit
tie pants trousers jeans shorts socks sock shoe shoes sneaker sneakers boot boots sandal sandals heels slippers belt
button zipper pocket uniform costume mask cloak cape robe kimono umbrella guitar piano violin drum drums flute trumpet
statue sculpture vase fountain mannequin perfume lipstick soap towel sponge toothbrush comb razor scissors needle
thread fabric cloth cotton silk wool leather denim velvet lace plastic rubber metal steel iron wood wooden stone
marble brick concrete clay ceramic porcelain
"""

_FOOD = """
food meal breakfast lunch dinner snack fruit apple banana orange lemon grape grapes strawberry blueberry raspberry
cherry pear plum mango pineapple melon watermelon coconut kiwi avocado tomato potato carrot onion garlic pepper corn
pea bean beans cabbage lettuce broccoli cucumber pumpkin mushroom salad soup bread toast bun bagel sandwich burger
hamburger pizza pasta spaghetti noodles noodle rice sushi taco burrito meat beef steak pork ham bacon sausage egg eggs
cheese butter milk yogurt cream ice cake pie cookie cookies biscuit donut doughnut muffin cupcake pancake waffle
chocolate candy sugar honey jam salt spice coffee tea juice water beer wine whiskey cocktail soda drink
"""

_PLACES = """
place world earth planet moon sun star stars sky cloud clouds space galaxy universe nebula city town village street
road path bridge tunnel highway building house home hut cabin cottage castle palace tower skyscraper church cathedral
temple mosque school university library museum gallery hospital hotel restaurant cafe bar pub kitchen bathroom bedroom
livingroom room hall office factory warehouse garage shop store market mall station airport harbor harbour port dock
beach coast shore island ocean sea lake river stream waterfall pond pool well forest woods jungle desert mountain
mountains hill hills valley canyon cliff cave volcano field meadow farm garden park playground zoo stadium theater
theatre cinema stage studio lab laboratory prison dungeon ruins graveyard cemetery countryside landscape cityscape
seascape skyline horizon background foreground interior exterior indoors outdoors outside inside africa america asia
europe china japan india france paris london tokyo berlin rome york egypt greece italy spain mexico brazil canada
"""

_NATURE = """
nature tree trees leaf leaves branch root bark flower flowers petal tulip daisy lily sunflower orchid lotus blossom
bush grass moss fern vine ivy cactus bamboo palm pine oak maple willow plant plants seed rock rocks sand dust mud soil
snow snowflake rain storm thunder lightning wind fog mist smoke fire flame flames lava ash wave waves ripple bubble
bubbles sunrise sunset dawn dusk day night morning noon evening midnight twilight spring summer autumn fall winter
season weather christmas halloween easter birthday wedding party festival holiday vacation
"""

_STYLES = """
style art artwork painting drawing sketch doodle cartoon comic manga anime illustration watercolor watercolour oil
acrylic ink pencil charcoal crayon pixel pixelart vector render rendering digital realistic realism photorealistic
hyperrealistic surreal surrealism abstract impressionism expressionism cubism minimalism minimalist minimal baroque
renaissance gothic victorian medieval vintage retro modern contemporary futuristic cyberpunk steampunk vaporwave
synthwave fantasy scifi horror noir western mythology fairytale cinematic dramatic epic macro closeup wide bokeh blur
blurry sharp focus detailed detail details texture pattern gradient shadow shadows lighting exposure contrast film
analog polaroid hdr uhd hd masterpiece quality best resolution design graphic typography text font line lines outline
shape circle square triangle rectangle sphere cube spiral stripe stripes dots collage mosaic graffiti mural tattoo
sticker emoji origami embroidery knitted lego clay plush plushie figurine miniature diorama isometric lowpoly wallpaper
cover concept scene view angle perspective composition symmetry symmetrical
"""

_QUALITIES = """
big small large little tiny huge tall short long wide narrow thick thin fat slim heavy old young new ancient fresh
beautiful pretty handsome ugly cute lovely elegant gorgeous stunning adorable sexy cool hot cold warm wet dry soft hard
smooth rough shiny glossy matte clean dirty broken empty full open closed high low deep shallow fast slow quick strong
weak brave happy sad angry scared surprised tired sleepy calm serious funny silly crazy weird strange mysterious
magical magic mystical spooky scary creepy evil good bad nice great amazing awesome perfect simple complex rich poor
loud quiet wild tame natural artificial real fake transparent invisible glowing sparkling burning frozen flying
floating running walking standing sitting lying sleeping jumping dancing singing playing eating drinking reading
writing drawing smiling laughing crying looking holding wearing riding driving swimming fighting working cooking
smoking kissing hugging waving pointing posing male female gay royal holy sacred dead alive single double half whole
left right top bottom front side center centre middle first last next one two three four five six seven eight nine ten
hundred thousand
"""

_OTHERS = """
the a an and or of in on at to from with without by for as is are was be it its this that these those my your his her
our their me you him them us we they he she who what where when how not no yes very more most less many much some any
all every each other same different own only just also too so such up down over under above below between behind near
far next beside through around across against into out off
love peace hope dream dreams life death time war power energy force light darkness sound music song dance sport sports
football soccer basketball baseball tennis golf hockey swimming race work job business science history future past
story name word number idea mind soul spirit shadow secret mystery adventure journey travel battle fight game fun joy
test example sample default trigger token subject class custom special instance training train finetune lora flux
prompt image photo photos pictures thing things something anything nothing everything someone anyone nobody everyone
make draw show give take put get go come see look want need like create generate add remove change
"""

COMMON_WORDS = frozenset(
    " ".join(
        (
            _PEOPLE,
            _ANIMALS,
            _COLOURS,
            _THINGS,
            _FOOD,
            _PLACES,
            _NATURE,
            _STYLES,
            _QUALITIES,
            _OTHERS,
        )
    ).split()
)
"""In lower case; about 1,500."""
